"""Commands about the node itself: init, up, its processes, doctor, demo."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from pathlib import Path

from yunhe.cli.commands import Command, Context, Output, both, named_lines, say
from yunhe.cli.supervisor import Child, Supervisor
from yunhe.kernel.errors import EXIT_CODES, Conflict, Terminal

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class DemoStaysHome(Terminal):
    code = "demo_stays_home"
    kind = "refused"
    sentences = {
        "zh": "演示账户还在，只能在本机（127.0.0.1）打开，不能绑定 {host}。请先停用演示账户（yunhe demo --retire）。",
        "en": "Demo accounts are alive, so the node binds 127.0.0.1 only, not {host}. Retire them first (yunhe demo --retire).",
    }


class NodeExists(Conflict):
    code = "node_exists"
    sentences = {
        "zh": "{home} 里已有节点，密钥保持不变。直接使用即可（yunhe up）；要新建请换一个 YUNHE_HOME。",
        "en": "{home} already holds a node; its key stays. Use it (yunhe up) or choose another YUNHE_HOME.",
    }


def init(context: Context, arguments: argparse.Namespace) -> Output:
    """Make a node: key, tables, national pack; in the server profile also its three administrators."""
    from yunhe.cli.setup import make_node

    made = make_node(note=context.note, code=arguments.code, name=arguments.name, region=arguments.region)
    lines = [f"{say('节点：', 'node: ')}{made['home']}", f"{say('形态：', 'profile: ')}{made['profile']}"]
    lines += [f"{a['role']}: {a['username']} / {a['password']}  {say('（只显示这一次）', '(shown once)')}" for a in made["accounts"]]
    return Output(made, tuple(lines))


def _init_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--code", default="", metavar="USCC", help="credit code of the organisation that runs the node")
    parser.add_argument("--name", default="", help="its name")
    parser.add_argument("--region", default="", help="its division code")


def up(context: Context, arguments: argparse.Namespace) -> Output:
    """Run web, worker and gateway until stopped."""
    from django.conf import settings

    _refuse_open_demo(settings.YUNHE["HOST"])
    host, web, gateway = (settings.YUNHE[n] for n in ("HOST", "WEB_PORT", "GATEWAY_PORT"))
    context.note(f"{say('控制台', 'console')}  http://{host}:{web}/")
    context.note(f"{say('网关', 'gateway')}  http://{host}:{gateway}/")
    children = [Child("web", ["web"]), Child("worker", ["worker"]), Child("gateway", ["gateway"])]
    Supervisor(say=context.note, children=children).run()
    return Output({"stopped": True}, ())


def _refuse_open_demo(host: str) -> None:
    from yunhe.cli.setup import demo_accounts_live

    if host not in LOOPBACK and demo_accounts_live():
        raise DemoStaysHome(host=host)


def web(context: Context, arguments: argparse.Namespace) -> Output:
    """Run the pages (one gunicorn worker with threads)."""
    from django.conf import settings

    _refuse_open_demo(settings.YUNHE["HOST"])
    from yunhe.cli.webserver import run_web

    run_web(host=settings.YUNHE["HOST"], port=settings.YUNHE["WEB_PORT"], threads=settings.YUNHE["WEB_THREADS"])
    return Output({"stopped": True})


def worker(context: Context, arguments: argparse.Namespace) -> Output:
    """Run jobs and the outbox until SIGTERM."""
    import signal

    from yunhe.core.jobs import api as jobs

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    jobs.run_worker(stop=stop)
    return Output({"stopped": True})


def gateway(context: Context, arguments: argparse.Namespace) -> Output:
    """Run the data gateway."""
    from django.conf import settings

    from yunhe.data.exchange import api as exchange
    from yunhe.gateway.main import GatewayConfig, run

    values = settings.YUNHE
    _refuse_open_demo(values["HOST"])
    run(
        GatewayConfig(
            home=Path(settings.HOME),
            host=values["HOST"],
            port=values["GATEWAY_PORT"],
            rights=exchange.rights_image_path(),
            node_secret=exchange.gateway_secret(),
            skew_seconds=values["CLOCK_SKEW_SECONDS"],
            stale_seconds=values["RIGHTS_STALE_SECONDS"],
        )
    )
    return Output({"stopped": True})


def doctor(context: Context, arguments: argparse.Namespace) -> Output:
    """Look at the node: settings, key, tables, disk, processes; say what is wrong and how to mend it.

    Ends with the code of something unavailable when anything is wrong, so that a watchdog needs no JSON.
    """
    from yunhe.cli.health import examine
    from yunhe.settings.table import TABLE, read_settings

    if arguments.settings:
        values = read_settings()
        rows = [(f"YUNHE_{s.name}", _shown(s.name, values[s.name]), s.unit, s.help) for s in TABLE]
        told = {"settings": {name: str(value) for name, value, _, _ in rows}}
        return Output(told, named_lines(("name", "value", "unit", "help"), rows))
    findings = examine()
    data = {"ok": all(f["ok"] for f in findings), "checks": findings}
    lines = [("✓" if f["ok"] else "✗", f["check"], f["found"], "" if f["ok"] else f["next"]) for f in findings]
    code = 0 if data["ok"] else EXIT_CODES["unavailable"]
    return Output(data, named_lines(("", "check", "found", "next step"), lines), exit_code=code)


def _shown(name: str, value: object) -> str:
    if name == "DATABASE" and "@" in str(value):
        return "postgresql://…@" + str(value).rsplit("@", 1)[1]
    return str(value)


def _doctor_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--settings", action="store_true", help="every setting with its value")


def demo(context: Context, arguments: argparse.Namespace) -> Output:
    """Make a demonstration city in this node and load it; `--up` starts it afterwards."""
    from yunhe.cli.demo.city import make_city, retire_city

    if arguments.retire:
        retired = retire_city()
        return Output({"retired": retired}, (f"{say('已停用演示账户：', 'retired accounts: ')}{retired}",))
    made = make_city(people=arguments.people, seed=arguments.seed, note=context.note)
    lines = [f"{a['organization']}  {a['role']}: {a['username']} / {a['password']}" for a in made["accounts"]]
    if lines:
        lines.insert(0, say("演示账户（密码只显示这一次）：", "demo accounts, passwords shown once:"))
        context.note("\n".join(lines))
    if arguments.up:
        sys.stderr.flush()
        # A fresh process: the memory that making the city took is given back.
        os.execv(sys.executable, [sys.executable, "-m", "yunhe.cli.main", "up"])  # noqa: S606 - our own command
    return Output(made, ())


def _demo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--people", type=int, default=2000, help="how many generated persons")
    parser.add_argument("--seed", type=int, default=320900, help="seed: the same seed makes the same bytes")
    parser.add_argument("--up", action="store_true", help="start web, worker and gateway afterwards")
    parser.add_argument("--retire", action="store_true", help="switch the demo accounts off")


COMMANDS: tuple[Command, ...] = (
    Command(("init",), "operator", both("新建节点", "make a node"), init, _init_arguments, needs_node=False),
    Command(("up",), "operator", both("启动网页、作业和网关", "start web, worker and gateway"), up),
    Command(("web",), "operator", both("只运行网页", "run the pages only"), web),
    Command(("worker",), "operator", both("只运行作业", "run the worker only"), worker),
    Command(("gateway",), "operator", both("只运行数据网关", "run the data gateway only"), gateway),
    Command(("doctor",), "operator", both("检查节点", "check the node"), doctor, _doctor_arguments, needs_node=False),
    Command(("demo",), "operator", both("生成演示城市", "make a demonstration city"), demo, _demo_arguments, needs_node=False),
)
