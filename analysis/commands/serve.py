"""``run.py serve``: the page."""

from typing import Annotated, Unpack

from typer import Option

from . import options
from .steps import load


def serve(
    scenario: options.ScenarioArgument = "mensi-pilot",
    port: Annotated[int, Option(min=0, max=65535, help="Port to listen on; 0 for a free one.")] = 8000,
    host: Annotated[str, Option(metavar="ADDRESS", help="Address to listen on; 0.0.0.0 for all of this machine.")] = "127.0.0.1",
    allow_host: Annotated[list[str] | None, Option(metavar="NAME", help="Answer to this name only, besides local ones.")] = None,
    root_path: Annotated[str, Option(metavar="/PATH", help="The path below which a reverse proxy shows the page.")] = "",
    mesa: Annotated[bool, Option("--mesa", help="The Mesa model instead: step it, look at single schools.")] = False,
    design: Annotated[str, Option(help="The design that --mesa begins with.")] = "regional_hub",
    **chosen: Unpack[options.AllOptions],
) -> None:
    """Serve the what-if page: change designs in a browser and see at once what follows."""
    loaded = load(scenario, **chosen)
    if mesa:
        from school_mentoring.analysis.web.mesa_page import serve_mesa

        serve_mesa(loaded, design, host=host, port=port, allow_hosts=allow_host or [], root_path=root_path)
    else:
        from school_mentoring.analysis.web.serve import serve as serve_page

        serve_page(loaded, host=host, port=port, allow_hosts=allow_host or [], root_path=root_path)
