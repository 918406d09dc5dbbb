"""Where compiled code is kept, and that it is found again."""

import tempfile

from model import compiled


def test_code_compiled_before_is_found_on_a_disk_that_may_only_be_read(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    folder = compiled.cache_folder.__wrapped__()
    assert folder.parent == tmp_path / "school-mentoring"
    (folder / "engine.nbc").write_bytes(b"code")
    writable = tempfile.TemporaryFile

    def refused_there(*arguments, dir=None, **options):
        if dir == folder:
            raise PermissionError(dir)
        return writable(*arguments, dir=dir, **options)

    monkeypatch.setattr(tempfile, "TemporaryFile", refused_there)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "not-a-folder"))
    (tmp_path / "not-a-folder").write_text("")
    copy = compiled.cache_folder.__wrapped__()
    assert copy != folder
    assert (copy / "engine.nbc").read_bytes() == b"code"
