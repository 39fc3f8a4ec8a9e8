"""Status codes stand in `api/problems.py` and nowhere else."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOME = ROOT / "api" / "problems.py"
MODULES = [file for file in sorted((ROOT / "api").rglob("*.py")) if file != HOME]
ANSWERS = ("Response", "TemplateResponse", "refusals", "page", "answer", "HTTPException")
CODES = range(200, 600)


def _codes(tree: ast.AST) -> Iterator[int]:
    """Numbers that are given as a status: by name, as a default, or by place to something that answers."""
    for node in ast.walk(tree):
        given: list[ast.AST | None] = []
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args, keywords=words):
                given += [word.value for word in words if word.arg in {"status", "status_code"}]
                given += args if name.endswith(ANSWERS) else []
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if "status" in name.lower():
                given += ast.walk(value)  # whatever in it is a number
            case ast.arguments(args=args, defaults=defaults, kwonlyargs=more, kw_defaults=own):
                last = args[len(args) - len(defaults) :]
                pairs = [*zip(last, defaults, strict=True), *zip(more, own, strict=True)]
                given += [value for name, value in pairs if name.arg in {"status", "status_code"}]
            case _:
                pass
        yield from (
            each.value
            for each in given
            if isinstance(each, ast.Constant) and isinstance(each.value, int) and each.value in CODES
        )


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_a_module_takes_its_status_codes_from_the_problems(file: Path) -> None:
    tree = ast.parse(file.read_text("utf-8"))
    from_http = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in {"http", "starlette.status"}
    ]

    assert sorted(_codes(tree)) == []
    assert from_http == []


@pytest.mark.parametrize(
    "wrong",
    [
        'RedirectResponse("/import", 303)',
        'page(request, "login.html", status=401)',
        "status = 422 if bad else 200",
        "def page(*, status: int = 200) -> None: ...",
        'responses.PlainTextResponse("Not found", 404)',
    ],
)
def test_a_status_code_elsewhere_would_be_seen(wrong: str) -> None:
    assert list(_codes(ast.parse(wrong)))
