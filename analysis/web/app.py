"""The server: one page, its answers, what is taken away and what comes up. Its addresses are relative, so it may stand below any path."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect

from school_mentoring.analysis.outcomes import design_name
from school_mentoring.experiments.compare import notes_on, with_comparator
from school_mentoring.experiments.notes import notes_on_draws
from school_mentoring.experiments.variables import uncertain_variables
from school_mentoring.experiments.whatif import Stop, SupersededError, WhatIf
from school_mentoring.model.compiled import is_warm
from school_mentoring.model.errors import InputError
from school_mentoring.model.fingerprint import result_fingerprint
from school_mentoring.model.world.schools import Schools
from school_mentoring.scenarios import Scenario, has_mentors

from .answers import base_answer, sure_answer
from .charts import map_chart
from .downloads import FIGURES, Download, Studies, download, downloads
from .form import Form, edited, read_form
from .guard import Guard, TooLarge, log
from .limits import Limits, planned_schools, refuse_too_much
from .page import page_context, world_says
from .sessions import COOKIE, Session, Sessions
from .state import Named, PageState, from_address, to_address, with_schools
from .texts import text
from .uploads import upload
from .work import Busy, Work

T = TypeVar("T")
Make = Callable[[PageState, Session, Scenario, int, Stop], str]

HERE = Path(__file__).parent
RANK_MAP, RANK_SURE = 1, 2
"""The map and the probabilities wait for the answers of all visitors."""


def _plain(value: Any) -> Markup:
    """Return JSON that may stand inside a script element."""
    return Markup(json.dumps(value, allow_nan=False, default=float).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


class Server:
    """What the requests share."""

    def __init__(self, first: PageState, limits: Limits) -> None:
        self.first, self.limits = first, limits
        self.whatif, self.work, self.sessions = WhatIf(), Work(), Sessions(limits)
        # Files take longer than answers, so they wait for each other, not answers for them.
        self.studies, self.files = Studies(), Work(1)
        self.ready = is_warm()
        self.templates = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self.templates.globals.update(t=text, most=limits, figures=FIGURES)
        self.templates.filters["json"] = _plain

    def render(self, template: str, **values: Any) -> str:
        """Return a template filled in."""
        return self.templates.get_template(template).render(**values)

    def give_up(self) -> None:
        """Give up all work."""
        self.work.close()
        self.files.close()

    @property
    def at_work(self) -> bool:
        """Whether an answer or a file is being made."""
        return self.work.at_work or self.files.at_work

    def located(self, state: PageState, session: Session) -> PageState:
        """Return a page with the visitor's own table of schools in the place of its name, where the visitor has it."""
        if not isinstance(state.schools, Named) or state.schools.digest not in session.tables:
            return state
        return with_schools(state, session.tables[state.schools.digest])

    def checked(self, scenario: Scenario) -> Scenario:
        """Return the scenario with the comparator, its size within the limits. Reads or makes its first world."""
        scenario = with_comparator(scenario)
        refuse_too_much(scenario, planned_schools(scenario) or len(self.schools(scenario)), self.limits)
        return scenario

    def schools(self, scenario: Scenario) -> Schools:
        """Return the schools of a scenario's first world."""
        return self.whatif.worlds(scenario).get(scenario.base_parameters(), 0)[1]


def make_app(first: PageState, *, limits: Limits | None = None, hosts: tuple[str, ...] = (), root_path: str = "") -> FastAPI:
    """Return the server's application. ``first``: what it shows to begin with; ``hosts``: names it answers to, besides local ones."""
    server = Server(first, limits or Limits())

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        warm = asyncio.create_task(_warm(server))
        yield
        warm.cancel()
        server.give_up()
        server.sessions.close()

    app = FastAPI(lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.server = server
    app.add_middleware(Guard, limits=server.limits, hosts=hosts, root=root_path)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    _pages(app, server)
    _answers(app, server)
    _files(app, server)
    _faults(app, server)
    return app


async def _warm(server: Server) -> None:
    """Answer the first page's question before anybody asks, which compiles the engine where it must be."""

    def first(threads: int, stop: Stop) -> None:
        server.whatif.base(server.checked(server.first.scenario), threads=threads, stop=stop)
        server.ready = True
        server.whatif.uncertain(server.first.scenario, threads=threads, stop=stop)

    try:
        await server.work.answer("server", "warm", first)
        log("ready")
    except (SupersededError, InputError) as error:
        log("not ready", error=str(error))


def _pages(app: FastAPI, server: Server) -> None:
    @app.get("/", response_class=HTMLResponse)
    async def page(request: Request, s: str = "") -> Response:
        session = server.sessions.visitor(request.cookies.get(COOKIE))
        problem, state = "", server.first
        try:
            state = server.located(from_address(s), session) if s else state
        except InputError as error:
            problem = f"{error} {text('page.address_bad', name=server.first.begun)}"
        html = server.render("page.html", **page_context(state, session, server.limits), problem=problem, ready=server.ready)
        response = HTMLResponse(html, 422 if problem else 200)
        response.set_cookie(COOKIE, session.key, httponly=True, samesite="strict", secure=request.url.scheme == "https")
        return response

    @app.get("/health")
    async def health() -> Response:
        return JSONResponse({"status": "ok", "engine": "ready" if server.ready else "compiling", "model": result_fingerprint()})

    @app.post("/edit", response_class=HTMLResponse)
    async def edit(request: Request) -> Response:
        form, session = await _form(request), _session(server, request)
        before = _sent(form)
        state = server.located(edited(form, before), session)
        gone = [design_name(name) for name in before.scenario.designs if name not in state.scenario.designs]
        removed = form.get("action", "").startswith("remove:")
        context = page_context(
            state, session, server.limits, opened=form.get("opened", ""), action=form.get("action", ""),
            said=text("form.removed", name=", ".join(gone)) if removed and gone else "",
        )  # fmt: skip
        # A page of its own in the browser's history, so that its Back undoes what the button did.
        headers = {"HX-Trigger-After-Settle": "edited", "HX-Push-Url": f"?s={to_address(state)}"}
        return HTMLResponse(server.render("form.html", **context), headers=headers)

    @app.post("/upload", response_class=HTMLResponse)
    async def upload_file(request: Request) -> Response:
        session = _session(server, request)
        async with request.form(max_files=1, max_fields=400, max_part_size=server.limits.request_bytes) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile) or not file.filename:
                raise InputError("upload", "no file was chosen", "allowed: a scenario (.yaml) or schools.csv")
            content = await file.read(server.limits.upload_bytes + 1)
            values = _last(form)
            name = file.filename
        if len(content) > server.limits.upload_bytes:
            raise TooLarge
        state = server.located(read_form(values, _sent(values)), session)
        new, said = await asyncio.to_thread(upload, name, content, state, session, server.sessions, server.checked)
        html = server.render("form.html", **page_context(server.located(new, session), session, server.limits, said=said))
        return HTMLResponse(html, headers={"HX-Trigger-After-Settle": "edited"})


def _answers(app: FastAPI, server: Server) -> None:
    def base(state: PageState, session: Session, scenario: Scenario, threads: int, stop: Stop) -> str:
        found = server.whatif.base(scenario, threads=threads, stop=stop)
        made, schools = base_answer(scenario, found, state.view.budget), server.schools(scenario)
        context = page_context(state, session, server.limits)
        context |= {
            "notes": [*notes_on(scenario, schools), *notes_on_draws(scenario, uncertain_variables(scenario), scenario.draws)],
            "runs": scenario.replicates,
            "world_says": world_says(scenario, schools),
        }
        return server.render("answer.html", **context, answer=made)

    def sure(state: PageState, _session: Session, scenario: Scenario, threads: int, stop: Stop) -> str:
        known = server.whatif.base(scenario, threads=threads, stop=stop)
        found = server.whatif.uncertain(scenario, threads=threads, stop=stop)
        k = state.view.willingness_to_pay
        return server.render("sure.html", answer=sure_answer(known, found, scenario.worlds, k) if found else None, k=k)

    def film(state: PageState, _session: Session, scenario: Scenario, _threads: int, _stop: Stop) -> str:
        countries = server.schools(scenario).countries
        country = min(state.view.map_country, len(countries) - 1)
        able = {name: design_name(name) for name, design in state.scenario.designs.items() if has_mentors(design)}
        chosen = state.view.map_design if state.view.map_design in able else next(iter(able), "")
        filmed = server.whatif.film(scenario, chosen, country) if chosen else None
        chart, frames = (map_chart(filmed.schools, filmed.contacts), _frames(filmed.schools)) if filmed else (None, [])
        return server.render(
            "map.html", chart=chart, design=chosen, label=design_name(chosen), place=countries[country].name, months=scenario.months,
            frames=frames, able=able, countries=[one.name for one in countries], country=country,
        )  # fmt: skip

    def on(kind: str, make: Make, rank: int = 0) -> None:
        """Answer questions of a kind with what ``make(state, session, scenario, threads, stop)`` gives for the page they describe."""

        @app.post(f"/{kind}", response_class=HTMLResponse)
        async def asked(request: Request) -> Response:
            form, session = await _form(request), _session(server, request)
            state = read_form(form, server.located(_sent(form), session))
            page = form.get("page", "")[:40]
            if kind == "answer":
                server.work.give_up(session.key, f"{page} sure")

            def do(threads: int, stop: Stop) -> str:
                return make(state, session, server.checked(state.scenario), threads, stop)

            html = await _while_there(request, server.work.answer(session.key, f"{page} {kind}", do, rank))
            return HTMLResponse(html, headers={} if kind == "map" else {"HX-Replace-Url": f"?s={to_address(state)}"})

    on("answer", base)
    on("map", film, RANK_MAP)
    on("sure", sure, RANK_SURE)


async def _while_there(request: Request, question: Coroutine[Any, Any, T]) -> T:
    """Return the answer to a question. Gives it up, and raises SupersededError, when the visitor leaves before it is there."""
    asked, left = asyncio.ensure_future(question), asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait((asked, left), return_when=asyncio.FIRST_COMPLETED)
        if not asked.done():
            raise SupersededError
        return await asked
    finally:
        asked.cancel()
        left.cancel()


async def _left(request: Request) -> None:
    """Return when the visitor has hung up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _frames(schools: Any) -> list[dict[str, Any]]:
    """Return what is said of each month of the map."""
    return [
        {"month": int(month), "share": f"{100 * rows['share'].mean():.0f}", "mentees": int((rows["mentor"] >= 0).sum())}
        for month, rows in schools.groupby("month")
    ]


def _files(app: FastAPI, server: Server) -> None:
    @app.get("/download/{name}")
    async def take_away(request: Request, name: str, s: str = "") -> Response:
        session = _session(server, request)
        if name not in downloads():
            return Response("no such download", 404)
        state = server.located(from_address(s) if s else server.first, session)
        scenario = state.scenario

        def do(threads: int, stop: Stop) -> Download:
            return download(name, server.checked(scenario), state.view.willingness_to_pay, server.studies, threads, stop)

        content, media, filename = await _while_there(request, server.files.answer(session.key, f"download {name}", do))
        return Response(content, media_type=media, headers={"Content-Disposition": f'attachment; filename="{filename}"'})


def _faults(app: FastAPI, server: Server) -> None:
    @app.exception_handler(InputError)
    async def bad_input(request: Request, error: InputError) -> Response:
        if request.method == "GET":
            return Response(str(error), 422, media_type="text/plain")
        where = error.where.split(", ", 1)[-1]
        return HTMLResponse(server.render("problem.html", problem=str(error), where=where), 422)

    @app.exception_handler(SupersededError)
    @app.exception_handler(ClientDisconnect)  # the visitor left before all was sent, and reads no answer
    async def gone(_request: Request, error: Exception) -> Response:
        return Response(status_code=204 if isinstance(error, SupersededError) else 400)

    @app.exception_handler(Busy)
    async def busy(_request: Request, _error: Busy) -> Response:
        return HTMLResponse(server.render("problem.html", problem=text("page.busy"), where=""), 503, headers={"Retry-After": "5"})

    @app.exception_handler(TooLarge)
    async def too_large(_request: Request, _error: TooLarge) -> Response:
        words = f"upload: too large; allowed: {server.limits.upload_bytes // 2**20} MB"
        return HTMLResponse(server.render("problem.html", problem=words, where=""), 413)


def _session(server: Server, request: Request) -> Session:
    return server.sessions.visitor(request.cookies.get(COOKIE))


def _last(form: FormData) -> dict[str, str]:
    return {key: value for key, value in form.multi_items() if isinstance(value, str)}


async def _form(request: Request) -> dict[str, str]:
    async with request.form(max_files=0, max_fields=400) as form:
        return _last(form)


def _sent(form: Form) -> PageState:
    """Return the page that the form was made for."""
    return from_address(form.get("state", ""))
