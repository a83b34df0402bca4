"""The style guide as a program (CONTRIBUTING.md, "Style"): each rule is shown to fail on a planted file.

A function breaks a rule about its shape with a reason on its line: ``# tidy: <why>``.
"""

import ast
import hashlib
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILE_LINES_MAX, FUNCTION_LINES_MAX, PARAMETERS_MAX, POSITIONAL_MAX = 500, 70, 6, 3
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base"}
EMPTY_VERB = re.compile(r"_*(process|handle|do|manage)(_|$)")
NEEDS_UNIT = re.compile(
    r"(.*_)?(timeout|duration|interval|delay|ttl|age|size|width|height|amount|price|length|sample_rate)"
)
UNFINISHED = re.compile(r"#.*\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX")) + r")\b")
REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("deb", "debian", "org"),
    )
)
MACHINE_PATH = re.compile(r"/(?:home|Users)/[a-z]\w*/|/" + r"root/|\.\./" + "shared")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Finding = tuple[int, str]


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def arguments_of(function: Function) -> list[ast.arg]:
    named = [*function.args.posonlyargs, *function.args.args]
    return named[1:] if named and named[0].arg in ("self", "cls") else named


def of_module(text: str, name: str) -> Iterator[Finding]:
    """Rules every Python file keeps."""
    lines = text.splitlines()
    if len(lines) > FILE_LINES_MAX:
        yield 1, f"the file has {len(lines)} lines, at most {FILE_LINES_MAX}"
    if not ast.get_docstring(ast.parse(text)):
        yield 1, "the module has no docstring"
    if Path(name).stem in EMPTY_NAMES:
        yield 1, f"the module name {Path(name).stem} says nothing: name what it holds"
    for number, line in enumerate(lines, 1):
        if UNFINISHED.search(line):
            yield number, "unfinished work is an issue, not a comment"


def of_function(function: Function) -> Iterator[Finding]:
    """Rules for the shape of a function."""
    size = (function.end_lineno or 0) - function.lineno + 1
    if size > FUNCTION_LINES_MAX:
        yield function.lineno, f"{function.name} has {size} lines, at most {FUNCTION_LINES_MAX}"
    positional = arguments_of(function)
    count = len(positional) + len(function.args.kwonlyargs)
    if count > PARAMETERS_MAX:
        yield function.lineno, f"{function.name} has {count} parameters, at most {PARAMETERS_MAX}"
    is_called_by_others = re.match(r"__(?!init__)|test_", function.name)
    if len(positional) > POSITIONAL_MAX and not is_called_by_others:
        yield function.lineno, f"{function.name}: parameters after the third are keyword-only"
    if EMPTY_VERB.match(function.name):
        yield function.lineno, f"{function.name}: the verb says nothing"


def of_units(function: Function) -> Iterator[Finding]:
    """Quantities carry their unit."""
    for argument in (*arguments_of(function), *function.args.kwonlyargs):
        if NEEDS_UNIT.fullmatch(argument.arg):
            yield argument.lineno, f"{function.name}: parameter {argument.arg} has no unit (_s, _px, _bytes, _hz ...)"


def of_values(node: ast.ClassDef) -> Iterator[Finding]:
    """Values between layers do not change."""
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if getattr(called, "id", "") != "dataclass":
            continue
        keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
        if not any(word.arg == "frozen" for word in keywords):
            yield node.lineno, f"{node.name}: a dataclass is frozen"


def of_handler(node: ast.ExceptHandler, lines: list[str]) -> Iterator[Finding]:
    """A broad except stands only at a boundary."""
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    is_broad = any(kind is None or getattr(kind, "id", "") in ("Exception", "BaseException") for kind in kinds)
    if is_broad and "# boundary: " not in lines[node.lineno - 1]:
        yield node.lineno, "a broad except says why: # boundary: <why>"


def of_code(text: str) -> Iterator[Finding]:
    """Rules the product's own code keeps."""
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, Function) and "# tidy: " not in lines[node.lineno - 1]:
            yield from of_function(node)
            yield from of_units(node)
        elif isinstance(node, ast.ClassDef) and "# tidy: " not in lines[node.lineno - 1]:
            yield from of_values(node)
        elif isinstance(node, ast.ExceptHandler):
            yield from of_handler(node, lines)


def untidy(text: str, name: str) -> Iterator[Finding]:
    yield from of_module(text, name)
    if name.startswith("src/"):
        yield from of_code(text)


def test_the_code_keeps_its_own_style() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {message}"
        for path in tracked_files()
        if path.suffix == ".py"
        for line, message in untidy(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix())
    ]
    assert not found, "\n" + "\n".join(found)


PLANTED: dict[str, tuple[str, str]] = {
    "docstring": ("x = 1\n", "no docstring"),
    "long file": ('"""Doc."""\n' + "x = 1\n" * 500, "has 501 lines"),
    "long function": ('"""Doc."""\ndef f():\n' + "    x = 1\n" * 70, "f has 71 lines"),
    "many parameters": ('"""Doc."""\ndef f(*, a, b, c, d, e, f, g): ...\n', "has 7 parameters"),
    "positional": ('"""Doc."""\ndef f(a, b, c, d): ...\n', "keyword-only"),
    "method": ('"""Doc."""\nclass C:\n    async def f(self, a, b, c, d): ...\n', "keyword-only"),
    "unit": ('"""Doc."""\ndef f(*, read_timeout): ...\n', "read_timeout has no unit"),
    "verb": ('"""Doc."""\ndef handle_task(a): ...\n', "the verb says nothing"),
    "mutable value": ('"""Doc."""\n@dataclass\nclass C: ...\n', "is frozen"),
    "broad except": ('"""Doc."""\ntry:\n    f()\nexcept (KeyError, Exception):\n    pass\n', "# boundary"),
    "bare except": ('"""Doc."""\ntry:\n    f()\nexcept:\n    pass\n', "# boundary"),
    "unfinished": ('"""Doc."""\nx = 1  # ' + "TO" + "DO later\n", "not a comment"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_each_rule_finds_what_is_planted(name: str) -> None:
    text, message = PLANTED[name]
    assert [found for _, found in untidy(text, "src/understudy/x.py") if message in found], name


def test_a_module_is_not_called_after_nothing() -> None:
    assert list(untidy('"""Doc."""\n', "src/understudy/utils.py"))


TIDY: dict[str, str] = {
    "units": '"""Doc."""\ndef f(*, read_timeout_s, num_pages, size_bytes): ...\n',
    "three positional": '"""Doc."""\nclass C:\n    def f(self, a, b, c, *, d): ...\n',
    "boundary": '"""Doc."""\ntry:\n    f()\nexcept Exception:  # boundary: a plugin\n    pass\n',
    "reason": '"""Doc."""\ndef f(a, b, c, d):  # tidy: called by a library\n    ...\n',
    "frozen": '"""Doc."""\n@dataclass(frozen=True)\nclass C: ...\n',
}


@pytest.mark.parametrize("name", TIDY)
def test_what_keeps_the_rules_is_not_found(name: str) -> None:
    assert list(untidy(TIDY[name], "src/understudy/x.py")) == []


def no_machine(text: str) -> list[str]:
    here = [str(ROOT)] if len(ROOT.parts) > 2 else []
    named = [host for host in (*REGISTRY_HOSTS, *here) if host in text]
    return named + [found[0] for found in MACHINE_PATH.finditer(text)]


def test_no_file_names_a_registry_or_a_path_of_a_machine() -> None:
    found = {path.relative_to(ROOT).as_posix(): no_machine(text_of(path)) for path in tracked_files()}
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize(
    "planted",
    [f"see {REGISTRY_HOSTS[0]}/simple", "/" + "home/somebody/x", "/" + "root/x", f"{ROOT}/x", "../" + "shared/x"],
)
def test_a_planted_registry_or_path_is_found(planted: str) -> None:
    assert no_machine(planted)


def unlisted_assets(folder: Path) -> Iterator[str]:
    """Yield what is wrong with a folder of foreign files: not in the manifest, changed, without a licence."""
    rows = tomllib.loads((folder / "MANIFEST.toml").read_text(encoding="utf-8"))["file"]
    listed = {row["name"]: row for row in rows}
    licences = {row["licence_file"] for row in rows}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() or name == "MANIFEST.toml" or name in licences or path.suffix == ".py":
            continue
        if name not in listed:
            yield f"{name} is not in the manifest"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != listed[name]["sha256"]:
            yield f"{name} is not the file that the manifest names"
    yield from (f"{name} is in the manifest but not here" for name in listed if not (folder / name).is_file())
    yield from (f"the licence {name} is not here" for name in licences if not (folder / name).is_file())


ASSET_FOLDERS = [path.parent for path in tracked_files() if path.name == "MANIFEST.toml"]


@pytest.mark.parametrize("folder", ASSET_FOLDERS, ids=lambda folder: folder.relative_to(ROOT).as_posix())
def test_every_foreign_file_is_listed_with_its_origin(folder: Path) -> None:
    assert list(unlisted_assets(folder)) == []


def test_every_asset_folder_has_a_manifest() -> None:
    homes = {folder for path in tracked_files() if "assets" in path.parts for folder in asset_homes(path)}
    assert homes <= set(ASSET_FOLDERS)


@pytest.mark.parametrize("folder", ASSET_FOLDERS, ids=lambda folder: folder.relative_to(ROOT).as_posix())
def test_the_notice_names_every_folder_of_foreign_files_and_its_licences(folder: Path) -> None:
    rows = tomllib.loads((folder / "MANIFEST.toml").read_text(encoding="utf-8"))["file"]
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    before, named, _ = notice.partition(folder.relative_to(ROOT).as_posix())
    assert named, "the notice does not name the folder"
    entry = before.rpartition("\n- ")[2]
    assert {row["licence"] for row in rows if f"({row['licence']})" not in entry} == set()


def asset_homes(path: Path) -> list[Path]:
    """Return the folder right below ``assets`` that the file is in."""
    place = path.parts.index("assets")
    return [Path(*path.parts[: place + 2])] if len(path.parts) > place + 2 else []


def test_a_changed_and_an_unlisted_asset_are_found(tmp_path: Path) -> None:
    (tmp_path / "MANIFEST.toml").write_text(
        '[[file]]\nname = "a.svg"\nsha256 = "00"\nlicence_file = "LICENSE.txt"\n', encoding="utf-8"
    )
    for name in ("a.svg", "b.svg"):
        (tmp_path / name).write_text("<svg/>", encoding="utf-8")
    assert list(unlisted_assets(tmp_path)) == [
        "a.svg is not the file that the manifest names",
        "b.svg is not in the manifest",
        "the licence LICENSE.txt is not here",
    ]


def dependencies() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    groups: list[list[str]] = [project["project"]["dependencies"], *extras, *project["dependency-groups"].values()]
    return {re.split(r"[<>=;~! \[]", row)[0] for group in groups for row in group}


def undocumented(notes: str, named: Callable[[], set[str]] = dependencies) -> set[str]:
    return {name for name in named() if f"`{name}`" not in notes}


def test_every_dependency_has_its_reason() -> None:
    assert undocumented((ROOT / "docs/decisions/dependencies.md").read_text(encoding="utf-8")) == set()


def test_a_dependency_without_a_reason_is_found() -> None:
    assert undocumented("`a`: why", lambda: {"a", "b"}) == {"b"}
