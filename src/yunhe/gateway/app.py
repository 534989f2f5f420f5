"""The data door: `POST /v1/query`, and what a supervisor asks (`/healthz`, `/readyz`, `/metrics`)."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from yunhe.crypto.requests import CASE_HEADER, OFFICER_HEADER, parse_header
from yunhe.engine.evidencelog import SegmentWriter, SpoolUnavailable
from yunhe.gateway import policy
from yunhe.gateway.asgi import READING, Application, Route, permission, problem, read_header, read_language, reply
from yunhe.gateway.audit import Call, claimed_token, subject_token
from yunhe.gateway.auth import SignedCall, authenticate, find_key
from yunhe.gateway.config import GatewayConfig
from yunhe.gateway.errors import BadHeader, BodyTooLarge, BodyTooSlow, FieldNotGranted
from yunhe.gateway.live import LiveRights
from yunhe.gateway.nonces import NonceStore
from yunhe.gateway.refusals import RefusalMeter
from yunhe.kernel import clock
from yunhe.kernel.errors import YunheError
from yunhe.kernel.ids import new_id
from yunhe.kernel.traces import describe

POLL_SECONDS = 0.1
BODY_SECONDS = 10
_HEADER_ID = re.compile(r"[A-Za-z0-9._:/@-]{0,64}", re.ASCII)


class Gateway:
    """One running gateway: what it holds open and how it answers."""

    def __init__(self, config: GatewayConfig) -> None:
        self._config = config
        self.rights = LiveRights(config.rights_path, node_secret=config.node_secret, stale_seconds=config.stale_seconds)
        self.nonces = NonceStore(config.nonces_path)
        try:
            self.spool = SegmentWriter(config.spool_path, spool_bytes=config.spool_bytes)
        except YunheError:
            self.nonces.close()
            raise
        self.calls: Counter[str] = Counter()
        self.seconds = 0.0
        self.refusals = RefusalMeter()
        self.rights.poll()

    def close(self) -> None:
        """Do write what waits and let everything go."""
        self.spool.close()
        self.nonces.close()
        self.rights.close()

    async def watch(self) -> None:
        """Do look for a new rights image, and write the counts of refusals that are due, for ever."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            self.rights.poll()
            await self.write_counts()

    async def write_counts(self, *, everything: bool = False) -> None:
        """Do write one line per peer for refusals that were only counted; what cannot be written waits."""
        for held in self.refusals.due(at=clock.now(), everything=everything):
            try:
                await self.spool.append_async(held.line(clock.now()))
            except SpoolUnavailable:
                return
            self.refusals.settle(held)

    async def answer(self, request: Request) -> Response:
        """Return the answer to one call, after its evidence line is durable.

        A refusal of a caller who proved no key is answered in any case; past a number per minute it is counted
        in one line (refusals.RefusalMeter) instead of written in its own.
        """
        began = time.perf_counter()
        call = Call(peer=request.client.host if request.client else "")
        language = read_language(read_header(request, "accept-language"))
        response = await self._judge(call, request, language)
        if response is None:  # the caller left before the call was whole: nobody gets an answer
            return Response(status_code=400)
        if call.key is not None or self.refusals.admit(peer=call.peer, code=call.code, at=call.at):
            try:
                await self.spool.append_async(call.line())
            except SpoolUnavailable as error:
                call.code = error.code
                response = problem(error, language, call.id)
        self.calls[call.code or call.outcome] += 1
        self.seconds += time.perf_counter() - began
        return response

    async def _judge(self, call: Call, request: Request, language: str) -> Response | None:
        try:
            return reply(200, await self._answer(call, request))
        except ClientDisconnect:
            return None
        except YunheError as error:
            call.outcome, call.code = "refused", error.code
            if error.kind == "broken":
                log("call_broke", trace_id=call.id, problem=error.say("en"))
            return problem(error, language, call.id)
        except Exception as error:  # noqa: BLE001 - the door: say it with a trace id, never with a stack
            broken = YunheError()
            call.outcome, call.code = "refused", broken.code
            log("call_broke", trace_id=call.id, problem=describe(error))
            return problem(broken, language, call.id)

    async def _answer(self, call: Call, request: Request) -> dict[str, Any]:
        signed = await self._read(call, request)
        image = self.rights.image()
        key = find_key(image, signed.header.key)
        secret = self.rights.secret_of(key)
        await authenticate(signed, key, secret=secret, nonces=self.nonces, skew_seconds=self._config.skew_seconds)
        call.key, call.nonce = key, signed.header.nonce
        call.officer, call.case = _read_id(OFFICER_HEADER, signed.officer), _read_id(CASE_HEADER, signed.case)
        query = policy.parse_body(signed.body)
        grant = image.grants.get(query.grant)
        if grant is not None and grant.consumer == key.organization:
            call.grant = grant  # a refusal under one's own grant is the owner's business too
        grant = policy.find_grant(image, query.grant, key)
        try:
            fields = policy.choose_fields(grant, query.fields)
        except FieldNotGranted as error:
            call.refused_field = error.facts["field"] if error.facts["field"] in grant.field_types else "?"
            raise
        call.fields = tuple(field.name for field in fields)
        keys = policy.read_keys(grant, query.keys)
        call.subject = subject_token(node_secret=self._config.node_secret, values=keys.values())
        row = self.rights.find_row(grant, keys)
        call.outcome = "not_found" if row is None else "found"
        return {
            "found": row is not None,
            "row": None if row is None else policy.show_row(row, fields),
            "resource": grant.resource,
            "snapshot": grant.snapshot_id,
            "release": grant.release_id,
            "evidence": call.id,
        }

    async def _read(self, call: Call, request: Request) -> SignedCall:
        header = parse_header(read_header(request, "authorization"))
        if self.rights.knows(header.key):
            call.claimed_key = header.key
        else:
            call.claimed_token = claimed_token(node_secret=self._config.node_secret, key_id=header.key)
        body = await read_body(request)
        path = request.scope.get("raw_path") or request.url.path.encode()
        query: bytes = request.scope["query_string"]
        return SignedCall(
            header=header,
            method=request.method,
            path=path.partition(b"?")[0].decode("latin-1"),
            query=query.decode("latin-1"),
            body=body,
            officer=read_header(request, OFFICER_HEADER),
            case=read_header(request, CASE_HEADER),
        )


async def read_body(request: Request) -> bytes:
    """Return the body. Raises: BodyTooLarge, BodyTooSlow, both before it is read whole."""
    limit = policy.BODY_BYTES
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise BodyTooLarge(limit=limit)
                parts.append(part)
    except TimeoutError as error:
        raise BodyTooSlow(limit=BODY_SECONDS) from error
    return b"".join(parts)


def log(event: str, **facts: object) -> None:
    """Do write one JSON line to standard error."""
    print(json.dumps({"event": event, **facts}, ensure_ascii=False), file=sys.stderr, flush=True)  # noqa: T201


def make_app(config: GatewayConfig) -> Application:
    """Return the ASGI application. Raises: SpoolInUse, SpoolUnavailable, NoncesUnavailable."""
    gateway = Gateway(config)

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        watching = asyncio.create_task(gateway.watch())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await gateway.write_counts(everything=True)
            await asyncio.to_thread(gateway.close)

    return Application(_routes(gateway), lifespan)


def _routes(gateway: Gateway) -> list[Route]:
    @permission("grant")
    async def query(request: Request) -> Response:
        return await gateway.answer(request)

    @permission("public")
    async def healthz(_: Request) -> Response:
        return reply(200, {"status": "ok"})

    @permission("public")
    async def readyz(request: Request) -> Response:
        try:
            gateway.rights.image()
            gateway.spool.check()
        except YunheError as error:
            return problem(error, read_language(read_header(request, "accept-language")), new_id())
        return reply(200, {"status": "ready", "rights_version": gateway.rights.version})

    @permission("public")
    async def metrics(_: Request) -> Response:
        return Response(write_metrics(gateway), media_type="text/plain; version=0.0.4; charset=utf-8")

    return [
        Route("/v1/query", ("POST",), query),
        Route("/healthz", READING, healthz),
        Route("/readyz", READING, readyz),
        Route("/metrics", READING, metrics),
    ]


def write_metrics(gateway: Gateway) -> str:
    """Return the counters in the text form of Prometheus; codes and counts only."""
    lines = [f'yunhe_gateway_calls_total{{code="{code}"}} {count}' for code, count in sorted(gateway.calls.items())]
    age = gateway.rights.age_seconds
    lines += [
        f"yunhe_gateway_call_seconds_total {gateway.seconds:.6f}",
        f"yunhe_gateway_evidence_records_total {gateway.spool.records}",
        f"yunhe_gateway_evidence_syncs_total {gateway.spool.groups}",
        f"yunhe_gateway_rights_version {gateway.rights.version}",
        f"yunhe_gateway_rights_age_seconds {'+Inf' if age == float('inf') else f'{age:.3f}'}",
    ]
    return "\n".join(lines) + "\n"


def _read_id(name: str, value: str) -> str:
    if not _HEADER_ID.fullmatch(value):
        raise BadHeader(name=name, limit=64)
    return value
