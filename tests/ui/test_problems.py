"""One error, one shape, at every door: a page for people, problem+json for programs, the same code and trace id."""

from __future__ import annotations

import json
import logging
import logging.config
import re

import pytest
from django.conf import settings as house
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import Client

from yunhe.kernel.ids import is_id
from yunhe.ui.logs import JsonFormatter, TextFormatter
from yunhe.ui.problems import is_busy

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.ui.doors_urls")]
STATUSES = {
    "missing": (404, "missing"),
    "conflict": (409, "conflict"),
    "unavailable": (503, "unavailable"),
    "busy": (503, "database_busy"),
    "http404": (404, "page_missing"),
    "denied": (403, "forbidden"),
    "suspicious": (400, "bad_request"),
    "integrity": (409, "already_there"),
    "surrogate": (422, "bad_text"),
    "digits": (422, "bad_number"),
    "fault": (500, "broken"),
}


@pytest.fixture
def calm() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("how", STATUSES)
def test_a_page_and_a_problem_say_the_same(calm: Client, how: str) -> None:
    status, code = STATUSES[how]
    page = calm.get(f"/t/fail/{how}")
    assert (page.status_code, page["Content-Type"]) == (status, "text/html; charset=utf-8")
    html = page.content.decode()
    assert f">{code}<" in html and page["X-Trace-Id"] in html
    problem = calm.get(f"/t/fail/{how}", headers={"accept": "application/json"})
    body = json.loads(problem.content)
    assert problem["Content-Type"] == "application/problem+json"
    assert (problem.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["trace_id"] == problem["X-Trace-Id"] and is_id(body["trace_id"])
    assert set(body) == {"type", "title", "status", "detail", "code", "kind", "trace_id"}
    api = calm.get(f"/api/t/x/open?how={how}")
    if how == "fault":
        assert api.status_code == 500
    else:
        assert (api.status_code, json.loads(api.content)["code"]) == (status, code)
    assert json.loads(api.content)["code"] == code


def test_a_busy_database_keeps_what_was_typed_and_says_when_to_try_again(calm: Client) -> None:
    typed = {"title": "第一行\r\n<b>第二行</b>", "step": "draft", "many": ["a", "b"]}
    page = calm.post("/t/fail/busy?from=1", typed)
    html = page.content.decode()
    assert (page.status_code, page["Retry-After"]) == (503, "5") and "系统正忙" in html and "再提交一次" in html
    fields = dict.fromkeys(re.findall(r'<textarea name="(\w+)"', html))
    assert list(fields) == ["title", "step", "many"] and 'action="/t/fail/busy?from=1"' in html
    assert "第一行\r\n&lt;b&gt;第二行&lt;/b&gt;</textarea>" in html and html.count('name="many"') == 2
    assert "再提交一次" not in calm.post("/t/fail/busy", {"password": "x"}).content.decode()
    assert "再提交一次" not in calm.get("/t/fail/busy").content.decode()
    told = calm.post("/t/fail/busy", typed, headers={"accept": "application/json", "accept-language": "en"})
    assert (told["Retry-After"], json.loads(told.content)["kind"]) == ("5", "unavailable") and "system is busy" in told.content.decode()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="states of PostgreSQL")
@pytest.mark.parametrize("state", ["55P03", "40001", "40P01"])
def test_what_postgresql_turns_away_for_others_is_busy(state: str) -> None:
    with pytest.raises(OperationalError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$")
    assert is_busy(caught.value)
    with pytest.raises(OperationalError) as away, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53200'; END $$")
    assert not is_busy(away.value)


def test_the_sentence_follows_the_language(calm: Client) -> None:
    for language, words in (("zh-CN,zh;q=0.9", "没有找到"), ("en-GB", "you may not see it")):
        headers = {"accept-language": language}
        assert words in calm.get("/t/fail/missing", headers=headers).content.decode()
        answer = calm.get("/api/t/x/open?how=missing", headers=headers)
        assert words in json.loads(answer.content)["detail"]


def test_an_address_that_is_none(calm: Client) -> None:
    assert calm.get("/nowhere").status_code == 404
    body = json.loads(calm.get("/api/v1/nowhere").content)
    assert (body["code"], body["status"]) == ("page_missing", 404)


def test_a_fault_shows_its_trace_id_and_nothing_of_itself(calm: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="django.request"):
        page = calm.get("/t/fail/fault")
    assert page.status_code == 500
    assert "a fault of ours" not in page.content.decode()
    assert page["X-Trace-Id"] in page.content.decode()
    assert "Content-Security-Policy" in page.headers


@pytest.mark.parametrize("text", ["%00", "a%ED%A0%80b", "%FF"])
def test_text_that_nothing_can_store_is_refused(calm: Client, text: str) -> None:
    for answer in (
        calm.get(f"/t/echo?text={text}"),
        calm.post("/t/echo", f"text={text}", content_type="application/x-www-form-urlencoded"),
    ):
        assert answer.status_code == 422
        assert "text" in answer.content.decode()
    assert calm.post("/t/echo", {"text": "运河 𠮷"}).status_code == 200


def test_a_number_beyond_the_column_is_refused(calm: Client) -> None:
    assert calm.get(f"/t/find/{2**63 - 1}").status_code == 200
    for number in (2**63, "1" + "0" * 4000, "1" + "0" * 5000):
        answer = calm.get(f"/t/find/{number}", headers={"accept": "application/json"})
        assert answer.status_code in (404, 422), answer.status_code
        assert json.loads(answer.content)["code"] in ("bad_number", "page_missing")
    assert (
        json.loads(calm.get(f"/t/find/{2**63}", headers={"accept": "application/json"}).content)["code"] == "bad_number"
    )


def test_a_form_without_its_token_is_refused_with_a_page() -> None:
    strict = Client(enforce_csrf_checks=True)
    page = strict.post("/t/echo", {"text": "x"})
    assert page.status_code == 403
    assert "csrf_failed" in page.content.decode() and page["X-Trace-Id"] in page.content.decode()
    problem = strict.post("/t/echo", {"text": "x"}, headers={"accept": "application/json"})
    assert json.loads(problem.content)["code"] == "csrf_failed"


def test_a_method_that_is_not_offered(calm: Client) -> None:
    page = calm.get("/t/post")
    assert (page.status_code, page["Content-Type"]) == (405, "text/html; charset=utf-8")
    assert json.loads(calm.delete("/api/t/x/open").content)["code"] == "method_not_allowed"


def test_a_locked_page_leads_to_the_login_and_back(calm: Client) -> None:
    answer = calm.get("/t/locked?a=1")
    assert (answer.status_code, answer["Location"]) == (302, "/login?next=%2Ft%2Flocked%3Fa%3D1")
    part = calm.get("/t/locked", headers={"HX-Request": "true", "Referer": "http://testserver/t/form?a=1"})
    assert part.status_code == 401 and 'href="/login?next=%2Ft%2Fform%3Fa%3D1&amp;sent=1" data-turn' in part.content.decode()
    problem = calm.get("/t/locked", headers={"accept": "application/json"})
    assert (problem.status_code, json.loads(problem.content)["code"]) == (401, "not_signed_in")


def test_a_failing_fragment_is_a_fragment(calm: Client) -> None:
    for how, status, again in (("conflict", 409, False), ("busy", 503, True), ("fault", 500, True)):
        part = calm.get(f"/t/fail/{how}", headers={"HX-Request": "true"})
        html = part.content.decode()
        assert part.status_code == status and 'role="alert"' in html and "data-problem" in html and part["X-Trace-Id"] in html
        assert ("data-again" in html) == again
        assert "<html" not in html and "<h1" not in html  # it stands on a page that has a heading
    strict = Client(enforce_csrf_checks=True)
    expired = strict.post("/t/echo", {"text": "x"}, headers={"HX-Request": "true", "Referer": "http://testserver/t/form"})
    assert expired.status_code == 403 and 'href="/t/form" data-turn' in expired.content.decode()


def test_a_log_line_is_one_json_object_with_facts_and_error() -> None:
    try:
        raise RuntimeError("two\nlines \ud800")
    except RuntimeError:
        import sys

        record = logging.LogRecord("x", logging.ERROR, "f", 1, "said %s", ("so\nhere",), sys.exc_info())
    record.path = "/p"
    line = JsonFormatter().format(record)
    assert "\n" not in line
    read = json.loads(line)
    assert (read["level"], read["message"], read["path"]) == ("error", "said so\nhere", "/p")
    assert "RuntimeError" in read["error"] and "trace_id" not in read


@pytest.mark.parametrize("form", [JsonFormatter(), TextFormatter("%(message)s")])
def test_a_log_line_holds_no_row_of_a_database_error(form: logging.Formatter) -> None:
    import sys

    try:
        try:
            raise IntegrityError("DETAIL:  Key (id)=(11010519491231002X) already exists.")
        except IntegrityError as error:
            raise RuntimeError("row 11010519491231002X") from error
    except RuntimeError as error:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "on_commit() (%s) %d", (error, 3), sys.exc_info())
    logging.Formatter().format(record)  # leaves the full text on the record
    line = form.format(record)
    assert "on_commit() (RuntimeError) 3" in line and "IntegrityError" in line and "test_problems.py" in line
    assert "11010519491231002X" not in line


def test_every_log_handler_of_the_house_writes_that_way() -> None:
    for name, form in house.LOGGING["formatters"].items():
        made = logging.config.DictConfigurator({"version": 1}).configure_formatter(dict(form))
        assert isinstance(made, TextFormatter), name
    assert {handler["formatter"] for handler in house.LOGGING["handlers"].values()} <= house.LOGGING["formatters"].keys()


def test_each_request_is_one_log_line_with_the_trace_id_and_without_its_query(
    calm: Client, caplog: pytest.LogCaptureFixture
) -> None:
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    keep = Keep()
    keep.setFormatter(JsonFormatter())
    log = logging.getLogger("yunhe.access")
    log.addHandler(keep)
    try:
        answer = calm.get("/healthz?secret=1", headers={"X-Trace-Id": "forged"})
    finally:
        log.removeHandler(keep)
    (line,) = (json.loads(one) for one in lines)
    assert line["trace_id"] == answer["X-Trace-Id"] != "forged"
    assert (line["path"], line["status"], line["method"]) == ("/healthz", 200, "GET")
    assert "secret" not in lines[0]


def test_every_answer_has_the_policy_and_a_trace_id_of_its_own(calm: Client) -> None:
    seen = set()
    for path in ("/login", "/nowhere", "/t/fail/fault", "/t/fail/conflict", "/healthz", "/static/yunhe/base.css"):
        answer = calm.get(path)
        b"".join(answer.streaming_content) if answer.streaming else answer.content
        answer.close()
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "data:" not in policy
        assert re.search(r"script-src 'self'(;|$)", policy) and re.search(r"style-src 'self'(;|$)", policy)
        seen.add(answer["X-Trace-Id"])
    assert len(seen) == 6


@pytest.mark.parametrize(
    ("accept", "cookie", "language"),
    [
        ("", "", "zh-hans"),
        ("fr-FR,fr", "", "zh-hans"),
        ("en-US,en;q=0.9,zh;q=0.8", "", "en"),
        ("fr,zh-TW;q=0.8,en;q=0.7", "", "zh-hans"),
        ("en;q=0", "", "zh-hans"),
        ("en", "zh-hans", "zh-hans"),
        ("zh", "en", "en"),
        ("zh", "xx", "zh-hans"),
        ("en;q=oops,de", "", "zh-hans"),
    ],
)
def test_language(calm: Client, accept: str, cookie: str, language: str) -> None:
    if cookie:
        calm.cookies["yunhe_language"] = cookie
    answer = calm.get("/login", headers={"accept-language": accept})
    assert answer["Content-Language"] == language
    assert f'<html lang="{"en" if language == "en" else "zh-Hans"}">' in answer.content.decode()
