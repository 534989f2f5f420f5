"""Packs: checked with file, line and path; loaded whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Cast
from yunhe.core.evidence.models import EvidenceRow
from yunhe.core.organizations import api as organizations
from yunhe.core.packs import api
from yunhe.core.packs.api import files, registry
from yunhe.core.packs.errors import PackBroken, PackNeedsRights, PackNotFound, SlotTaken
from yunhe.core.packs.loaders import RoleModel, register_loaders
from yunhe.core.packs.models import LoadedPack, PackLoad
from yunhe.core.packs.rules.csv_text import read_csv
from yunhe.core.packs.rules.yaml_text import MAX_DEPTH, YamlRefused, read_yaml
from yunhe.core.packs.types import LoadContext, PackItem, PlannedChange, Strict
from yunhe.kernel.actor import job_actor
from yunhe.kernel.errors import Refused

ASKER = job_actor("tests")
MANIFEST = "name: small\nversion: '1.0'\ntitle: {zh: 小包, en: Small}\n"
REGIONS = "code,name,level,parent,valid_from,valid_until,successor,basis\n329900,示范市,city,,,,,\n329901,城东区,county,329900,2024-01-01,,,\n"
ROLE = "code: reader\ntitle: {zh: 读者, en: Reader}\nrights:\n  - permissions: [ledger.view]\n    organizations: ['*']\n"
BODY = "- {code: 1132990000329901XF, name: 示范市人民政府, kind: government, region: '329900'}\n"
BODY += "- {code: 11329900003299028F, name: 示范市数据局, region: '329900', parent: 1132990000329901XF}\n"
Make = Callable[..., Path]


@pytest.fixture(autouse=True)
def _own_slots(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, starting_up: None) -> None:
    """Only the loaders of the rooms below, whatever else is installed; a home of the test's own."""
    monkeypatch.setattr(registry, "_loaders", {})
    register_loaders()
    monkeypatch.setattr(settings, "HOME", tmp_path / "home")


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make(contents: dict[str, str | bytes] | None = None, name: str = "small", manifest: str = MANIFEST) -> Path:
        folder = tmp_path / "home" / "packs" / name
        for path, content in ({"pack.yml": manifest} | (contents or {})).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content.encode() if isinstance(content, str) else content)
        return folder

    return make


@pytest.mark.django_db
def test_a_pack_brings_divisions_organisations_and_roles(make: Make) -> None:
    make({"regions/r.csv": REGIONS, "organizations/o.yml": BODY, "roles/r.yml": ROLE})
    report = api.load_pack(name_or_path="small", actor=ASKER)
    assert (report.state, report.items) == ("loaded", {"regions": 2, "organizations": 2, "roles": 1})
    assert organizations.get_region(code="329901").parent == "329900"
    assert organizations.get_organization(code="示范市数据局").parent == "1132990000329901XF"
    assert organizations.get_role(code="reader").pack == "small"
    assert EvidenceRow.objects.filter(kind="packs.pack_loaded", subject_id="small").count() == 1


@pytest.mark.django_db
def test_the_same_content_again_changes_nothing(make: Make) -> None:
    folder = make({"regions/r.csv": REGIONS})
    first = api.load_pack(name_or_path=folder, actor=ASKER)
    again = api.load_pack(name_or_path="small", actor=ASKER)
    assert (again.state, again.digest) == ("unchanged", first.digest)
    assert (PackLoad.objects.count(), EvidenceRow.objects.filter(kind="packs.pack_loaded").count()) == (1, 1)
    (folder / "docs").mkdir()
    (folder / "docs" / "readme.md").write_text("more")
    assert api.load_pack(name_or_path="small", actor=ASKER).state == "loaded"
    assert LoadedPack.objects.get().digest != first.digest


@pytest.mark.django_db
def test_a_load_that_fails_at_its_end_leaves_nothing(make: Make) -> None:
    broken = BODY.replace("11329900003299028F", "1132990000329902XX")
    make({"regions/r.csv": REGIONS, "organizations/o.yml": broken})
    before = EvidenceRow.objects.count()
    with pytest.raises(PackBroken) as caught:
        api.load_pack(name_or_path="small", actor=ASKER)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("organizations/o.yml", 2)
    assert not organizations.list_regions()
    assert not LoadedPack.objects.exists()
    assert EvidenceRow.objects.count() == before


@pytest.mark.django_db
def test_a_check_writes_nothing_and_tells_the_changes(make: Make) -> None:
    make({"regions/r.csv": REGIONS, "roles/r.yml": ROLE})
    report = api.check_pack(path="small")
    assert report.state == "loadable"
    assert [(c.what, c.action, c.rights) for c in report.changes] == [
        ("region", "create", False), ("region", "create", False), ("role", "create", True),
    ]  # fmt: skip
    assert not organizations.list_regions()


PROBLEMS: list[tuple[dict[str, str | bytes], str, int, str]] = [
    ({"roles/r.yml": "code: reader\ntitle: {zh: 读者}\nrights:\n  - permisions: [a.b]\n"}, "roles/r.yml", 4, "rights.0.permissions"),
    ({"roles/r.yml": "- code: one\n  title: {zh: 一}\n  rights: []\n- code: Two\n  title: {zh: 二}\n  rights: []\n"}, "roles/r.yml", 4, "code"),
    ({"roles/r.yml": "code: reader\ncode: again\n"}, "roles/r.yml", 2, ""),
    ({"roles/r.yml": "a: &x [1]\nb: *x\n"}, "roles/r.yml", 1, "a"),
    ({"roles/r.yml": "code: !!python/object/apply:os.system [ls]\n"}, "roles/r.yml", 1, "code"),
    ({"roles/r.yml": "just text\n"}, "roles/r.yml", 1, ""),
    ({"roles/r.yml": ""}, "roles/r.yml", 1, ""),
    ({"roles/r.yml": "code: reader\n  bad: indent\n"}, "roles/r.yml", 2, ""),
    ({"roles/r.yml": b"code: reader\ntitle: \xff\n"}, "roles/r.yml", 2, ""),
    ({"roles/r.yml": "a: 1\n---\nb: 2\n"}, "roles/r.yml", 2, ""),
    ({"roles/r.yml": "? [a, b]\n: 1\n"}, "roles/r.yml", 1, ""),
    ({"regions/r.csv": REGIONS + "329902,城西区,continent,329900,,,,\n"}, "regions/r.csv", 4, "level"),
    ({"regions/r.csv": REGIONS + "329902,城西区\n"}, "regions/r.csv", 4, ""),
    ({"regions/r.csv": REGIONS + '329902,"城\n西区",county,329900,,,,\n329903,x,county,329900,soon,,,\n'}, "regions/r.csv", 6, "valid_from"),
    ({"regions/r.csv": "code,code\n"}, "regions/r.csv", 1, ""),
    ({"regions/r.csv": ""}, "regions/r.csv", 1, ""),
    ({"regions/r.csv": 'code,name\n"unclosed\n'}, "regions/r.csv", 2, ""),
    ({"regions/r.csv": REGIONS + "329901,城东区,county,329900,2024-01-01,,,\n"}, "regions/r.csv", 4, "code"),
    ({"regions/r.txt": "x"}, "regions/r.txt", 1, ""),
    ({"unknown/x.yml": "a: 1"}, "unknown/x.yml", 1, ""),
    ({"stray.yml": "a: 1"}, "stray.yml", 1, ""),
    ({"demo/a b.csv": "x"}, "'demo/a b.csv'", 1, ""),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(("contents", "file", "line", "path"), PROBLEMS)
def test_each_problem_has_its_file_line_and_path(
    make: Make, contents: dict[str, str | bytes], file: str, line: int, path: str
) -> None:
    make(contents)
    report = api.check_pack(path="small")
    assert (report.state, len(report.problems) > 0) == ("broken", True)
    first = report.problems[0]
    assert (first.file, first.line, first.path) == (file, line, path)
    assert all(first.say(language) for language in ("zh", "en"))
    with pytest.raises(PackBroken):
        api.load_pack(name_or_path="small", actor=ASKER)


@pytest.mark.django_db
def test_all_problems_are_told_at_once(make: Make) -> None:
    make({"roles/a.yml": "code: A\n", "roles/b.yml": "code: b!\n", "regions/r.csv": "code\n1\n2\n"})
    assert {problem.file for problem in api.check_pack(path="small").problems} == {
        "roles/a.yml", "roles/b.yml", "regions/r.csv",
    }  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(
    "manifest",
    ["", "name: other\nversion: '1'\ntitle: {zh: 包}\n", MANIFEST + "needs: [absent]\n", MANIFEST + "extra: 1\n", MANIFEST.replace("'1.0'", "one")],
)
def test_bad_manifests(make: Make, manifest: str) -> None:
    make(manifest=manifest)
    problems = api.check_pack(path="small").problems
    assert problems
    assert problems[0].file == "pack.yml"


@pytest.mark.django_db
@pytest.mark.parametrize("where", ["regions/r.csv", "regions", "demo/x"])
def test_links_are_refused_and_not_followed(make: Make, tmp_path: Path, where: str) -> None:
    folder = make()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_text("secret")
    (folder / where).parent.mkdir(parents=True, exist_ok=True)
    (folder / where).symlink_to(outside if where == "regions" else outside / "secret.csv")
    report = api.check_pack(path="small")
    assert [(problem.file, "链接" in problem.say()) for problem in report.problems] == [(where, True)]
    assert all(b"secret" not in data for data in files.read_pack(folder).files.values())


@pytest.mark.django_db
def test_a_pipe_is_refused_and_not_read(make: Make) -> None:
    folder = make()
    os.mkfifo(folder / "regions.csv")
    assert api.check_pack(path="small").state == "broken"


@pytest.mark.django_db
def test_a_file_over_five_megabytes_is_refused(make: Make) -> None:
    folder = make({"demo/big.csv": b"x" * (5 * 1024 * 1024)})
    assert api.check_pack(path="small").is_sound
    with (folder / "demo" / "big.csv").open("ab") as file:
        file.write(b"x")
    assert "5242881" in api.check_pack(path="small").problems[0].say()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["../small", "/etc", "no/such", "Small", "", "a\x00b", "small/../small2"])
def test_names_do_not_leave_the_roots(make: Make, name: str) -> None:
    make()
    with pytest.raises(PackNotFound):
        api.find_pack_folder(name=name)


@pytest.mark.django_db
def test_who_may_load(make: Make, cast: Cast) -> None:
    make({"regions/r.csv": REGIONS.replace("3299", "3298")})
    with pytest.raises(Refused):
        api.load_pack(name_or_path="small", actor=cast.data_admin.actor)


@pytest.mark.django_db
def test_rights_are_changed_by_the_security_administrator_only(make: Make, cast: Cast) -> None:
    make({"roles/r.yml": ROLE})
    with pytest.raises(PackNeedsRights, match="reader"):
        api.load_pack(name_or_path="small", actor=cast.system_admin.actor)
    assert api.load_pack(name_or_path="small", actor=cast.security_admin.actor).state == "loaded"
    make({"roles/r.yml": ROLE.replace("ledger.view", "evidence.view")})
    with pytest.raises(PackNeedsRights):
        api.load_pack(name_or_path="small", actor=cast.system_admin.actor)


@pytest.mark.django_db
def test_a_role_belongs_to_the_pack_that_brought_it(make: Make) -> None:
    make({"roles/r.yml": ROLE})
    api.load_pack(name_or_path="small", actor=ASKER)
    make({"roles/r.yml": ROLE}, name="thief", manifest=MANIFEST.replace("small", "thief"))
    assert "small" in api.check_pack(path="thief").problems[0].say()


@pytest.mark.django_db
def test_a_product_pack_brings_organisations_only_as_a_demo(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make({"regions/r.csv": REGIONS, "organizations/o.yml": BODY})
    monkeypatch.setattr(files, "pack_roots", lambda: ((folder.parent, True),))
    assert "demo" in api.check_pack(path=folder).problems[0].say()
    make(manifest=MANIFEST + "demo: true\n")
    assert api.check_pack(path=folder).is_sound


@pytest.mark.django_db
def test_a_stored_division_is_never_overwritten(make: Make) -> None:
    make({"regions/r.csv": REGIONS})
    api.load_pack(name_or_path="small", actor=ASKER)
    make({"regions/r.csv": REGIONS.replace("城东区", "改名区")})
    (problem,) = api.check_pack(path="small").problems
    assert (problem.line, "城东区" in problem.say()) == (3, True)


@pytest.mark.django_db
def test_an_upper_room_reads_its_own_section(make: Make) -> None:
    class Thing(Strict):
        name: str

    class Row(Strict):
        value: str

    applied: list[Any] = []

    def plan(context: LoadContext, items: tuple[PackItem, ...]) -> list[PlannedChange]:
        return [PlannedChange("thing", item.file, "create") for item in items]

    def apply(context: LoadContext, items: tuple[PackItem, ...]) -> None:
        applied.extend((item.file, item.line, item.value) for item in items)
        assert context.files["texts/t.txt"] == b"text"

    api.register_loader(section="things", model=Thing, row_model=Row, plan=plan, apply=apply, order=99)
    make({"things/a.yml": "- name: one\n- name: '0301'\n", "things/b.csv": "value\n0301\n", "texts/t.txt": "text"})
    api.load_pack(name_or_path="small", actor=ASKER)
    assert applied == [
        ("things/a.yml", 1, Thing(name="one")), ("things/a.yml", 2, Thing(name="0301")), ("things/b.csv", 2, Row(value="0301")),
    ]  # fmt: skip
    with pytest.raises(SlotTaken):
        api.register_loader(section="things", model=Thing, plan=plan, apply=lambda c, i: None, order=99)


@pytest.mark.django_db
def test_list_packs_tells_what_is_at_hand_and_what_is_loaded(make: Make) -> None:
    make({"regions/r.csv": REGIONS})
    before = {info.name: info for info in api.list_packs(actor=ASKER)}
    assert (before["small"].loaded_at, before["small"].shipped, before["national"].shipped) == (None, False, True)
    api.load_pack(name_or_path="small", actor=ASKER)
    after = {info.name: info for info in api.list_packs(actor=ASKER)}["small"]
    assert (after.loaded_version, after.loaded_digest, after.loaded_by) == ("1.0", after.digest, "job:tests")


def test_deep_nesting_and_floods_of_values_are_refused() -> None:
    with pytest.raises(YamlRefused, match=str(MAX_DEPTH)):
        read_yaml(b"[" * 100_000, file="x.yml")
    with pytest.raises(YamlRefused):
        read_yaml(b"- 1\n" * 200_001, file="x.yml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("0301", "0301"), ("320900", 320900), ("2024-01-01", "2024-01-01"), ("1:30", "1:30"), ("~", None),
        ("true", True), ("'true'", "true"), ("1.5", 1.5), ("0x10", "0x10"), ("1_000", "1_000"), ("-7", -7), (".inf", ".inf"),
        ("99999999999999999999", "99999999999999999999"), ("1e999", "1e999"),
    ],
)  # fmt: skip
def test_plain_words_have_no_surprises(text: str, value: object) -> None:
    assert read_yaml(f"a: {text}".encode(), file="x.yml").value == {"a": value}


LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"])
LEAVES = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(LETTERS, max_size=6)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(tree=TREES, flow=st.booleans())
def test_what_another_writer_writes_is_read_back(tree: Any, flow: bool) -> None:
    class Quoted(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    Quoted.add_representer(str, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"'))
    text = yaml.dump({"root": tree}, Dumper=Quoted, allow_unicode=True, default_flow_style=flow)
    assert read_yaml(text.encode(), file="x.yml").value == {"root": tree}


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_with_a_line(data: bytes) -> None:
    lines: list[int] = []
    for read in (lambda: read_yaml(data, file="x"), lambda: list(read_csv(data, file="x"))):
        try:
            read()
        except YamlRefused as refused:
            lines.append(refused.problem.line)
    assert all(line >= 1 for line in lines)


@pytest.mark.django_db
def test_the_national_divisions_and_roles_load_and_the_cast_has_the_same_rights(make: Make, roles: None) -> None:
    national = files.find_pack_folder(name="national")
    contents = {
        path.relative_to(national).as_posix(): path.read_bytes()
        for section in ("regions", "roles") for path in sorted((national / section).iterdir())
    }  # fmt: skip
    make(contents, name="national", manifest=(national / "pack.yml").read_text())
    folder = Path(settings.HOME) / "packs" / "national"
    declared: dict[str, Any] = {}
    for name, data in contents.items():
        if name.startswith("roles/"):
            for role in read_yaml(data, file=name).value:
                declared[role["code"]] = RoleModel.model_validate(role)
    for code, model in declared.items():
        held = organizations.get_role(code=code)
        cast_rights = {(right.permission, right.organizations, right.kinds) for right in held.rights}
        pack_rights = {(right.permission, right.organizations, right.kinds) for right in model.specs()}
        assert cast_rights - pack_rights == set(), code
        assert {p for p, _, _ in pack_rights - cast_rights} <= {"api.docs"}, code
        assert held.separation == model.separation
    assert {role.code for role in organizations.list_roles()} == set(declared)
    report = api.load_pack(name_or_path=folder, actor=ASKER)
    assert report.items["regions"] == 1 + 34 + 13
    assert len(organizations.list_regions(parent="320900")) == 9
    assert organizations.get_region(code="320904").name == "大丰区"
    assert [region.successor for region in organizations.list_region_history(code="320982")] == ["320904"]
    assert [region.name for region in organizations.list_region_history(code="320902")] == ["城区", "亭湖区"]


ROLE_OF_OTHERS = ROLE.replace("code: reader", "code: leader")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("contents", "zh", "en"),
    [
        ({"regions/a.csv": REGIONS + "329901,城东区,county,329900,2024-01-01,,,\n"}, "每个区划的每段时间只出现一次", "each period once"),
        ({"organizations/a.yml": BODY.splitlines()[0] + "\n" + BODY.splitlines()[0] + "\n"}, "每个机构只出现一次", "each organisation once"),
        ({"roles/a.yml": "code: [1\n"}, "少了逗号或右括号", "did not find expected ',' or ']'"),
        ({"roles/a.yml": "code: a: b\n"}, "多半是缩进或冒号有误", "mapping values are not allowed"),
        ({"roles/a.yml": ROLE.replace("reader", "R!")}, "格式不符", "should match pattern"),
        ({"roles/a.yml": ROLE + "separation: other\n"}, "只能是 ''、'system'、'security'、'audit'", "Input should be '', 'system'"),
        ({"regions/a.csv": 'code,name\n"329900,x\n'}, "CSV 写法有误", "unexpected end of data"),
    ],
)
def test_what_is_wrong_is_told_in_one_language(make: Make, contents: dict[str, str | bytes], zh: str, en: str) -> None:
    problems = api.check_pack(path=make(contents)).problems
    said, told = problems[0].say("zh"), problems[0].say("en")
    assert zh in said and en in told, (said, told)
    assert not [word for word in ("once", "expected", "Input", "should", " or ", "found") if word in said], said
    assert not [letter for letter in told.replace("城东区", "") if "\u4e00" <= letter <= "\u9fff"], told
