"""The parts of tools/check_server_deploy that are Python.

  server_deploy.py manifests FILE OUT KIND...  what `helm template` rendered into FILE as plain
                                               manifests in the directory OUT (all kinds without KIND)
  server_deploy.py update-table FILE           writes the chart's values as a table into FILE,
                                               between its marks
  server_deploy.py check-table FILE            it is the one there
  server_deploy.py schemas VERSION FILE...     every object has the fields of its kind and no others
  server_deploy.py rule-mutants PROMTOOL       the tests of the rules notice changed alerts
  server_deploy.py metrics FILE                what is asked for is in the scrape FILE
  server_deploy.py options HELP FILE...        the pods' variables are options of the server, and those
                                               of the first FILE have its defaults
  server_deploy.py queries                     what the dashboard asks for, as rules for promtool
"""
import copy
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

CHART = pathlib.Path("deploy/helm/lambert")
PROMETHEUS = pathlib.Path("deploy/prometheus")
RULES = PROMETHEUS / "lambert.rules.yaml"
OPERATOR_KINDS = {"ServiceMonitor", "PrometheusRule"}  # no schema of them is at hand
# Whose defaults the chart means to change.
DIFFERENT = {"LAMBERT_HOST", "LAMBERT_LOG_FORMAT"}
TABLE = re.compile(r"(?<=<!-- values -->\n).*?(?=<!-- end -->)", re.DOTALL)


def read(path) -> list:
    return [document for document in yaml.safe_load_all(pathlib.Path(path).read_text("utf-8"))
            if document]


def manifests(rendered: str, out: str, *kinds: str) -> int:
    """Splits `helm template`'s output into files named by kind, without what only Helm wants."""
    directory = pathlib.Path(out)
    directory.mkdir(parents=True, exist_ok=True)
    for text in re.split(r"^---\n", pathlib.Path(rendered).read_text("utf-8"), flags=re.MULTILINE):
        document = yaml.safe_load(text)
        if not document or (kinds and document["kind"] not in kinds):
            continue
        text = re.sub(r"^# Source: .*\n", "", text, flags=re.MULTILINE)
        text = re.sub(r"^ *(helm\.sh/chart|app\.kubernetes\.io/managed-by): .*\n", "", text,
                      flags=re.MULTILINE)
        (directory / f"{document['kind'].lower()}.yaml").write_text(
            "# Made by tools/check_server_deploy --update from deploy/helm/lambert.\n"
            + text.strip("\n") + "\n", encoding="utf-8")
    return 0


def value_rows(values, comments: dict, prefix=()):
    for name, value in values.items():
        path = prefix + (name,)
        if path in comments:
            yield ".".join(path), comments[path], value
        elif isinstance(value, dict):
            yield from value_rows(value, comments, path)
        else:
            raise SystemExit(f"server_deploy: values.yaml: {'.'.join(path)} is not described")


def read_comments(text: str) -> dict:
    """Descriptions ("# -- ...", and the comment lines that go on with it) by path of the value."""
    comments, path, comment = {}, [], None
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("# -- "):
            comment = stripped[5:]
        elif stripped.startswith("#") and comment is not None:
            comment += " " + stripped[1:].strip()
        elif key := re.match(r"( *)(\w+):", line):
            path = path[:len(key[1]) // 2] + [key[2]]
            if comment is not None:
                comments[tuple(path)] = comment
            comment = None
    return comments


def table() -> str:
    text = (CHART / "values.yaml").read_text("utf-8")
    rows = ["| value | default | |", "|---|---|---|"]
    for name, comment, value in value_rows(yaml.safe_load(text), read_comments(text)):
        shown = json.dumps(value) if value not in ("", [], {}) else ""
        if isinstance(value, dict) and value:
            shown = ", ".join(f"{key}: {json.dumps(item)}" for key, item in value.items())
        rows.append(f"| `{name}` | {'`' + shown + '`' if shown else ''} | {comment} |")
    return "\n".join(rows)


def update_table(path: str) -> int:
    page = pathlib.Path(path)
    page.write_text(TABLE.sub(lambda _: f"\n{table()}\n\n", page.read_text("utf-8")), "utf-8")
    return 0


def check_table(path: str) -> int:
    found = TABLE.search(pathlib.Path(path).read_text("utf-8"))
    if not found or found[0] != f"\n{table()}\n\n":
        print(f"server_deploy: {path}: the table is not that of values.yaml; "
              "run tools/check_server_deploy --update", file=sys.stderr)
        return 1
    print(f"ok: {path}: the table of values is that of values.yaml")
    return 0


def schemas(version: str, *paths: str) -> int:
    """Every object against the schemas of Kubernetes, which notice a field that is misspelt."""
    import kubernetes_validate  # pylint: disable=import-outside-toplevel
    count = 0
    for path in paths:
        for document in read(path):
            if document["kind"] in OPERATOR_KINDS:
                continue
            misspelt = copy.deepcopy(document)
            misspelt.setdefault("spec", {})["replica"] = 2
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                raise SystemExit(f"server_deploy: {path}: {document['kind']}, Kubernetes {version}: "
                                 f"{error.message}") from None
            try:
                kubernetes_validate.validate(misspelt, version, strict=True)
            except kubernetes_validate.ValidationError:
                count += 1
                continue
            raise SystemExit(f"server_deploy: {path}: a misspelt field was not noticed")
    print(f"ok: kubernetes-validate, strict: {count} objects, Kubernetes {version}")
    return 0


def alert_mutants(rules: dict):
    """Each alert without it, firing always, and firing at once: (what was done, the rules)."""
    for group, rule in [(g, r) for g, group in enumerate(rules["groups"])
                        for r, rule in enumerate(group["rules"]) if "alert" in rule]:
        for change in ("never fires", "always fires", "fires at once"):
            mutant = copy.deepcopy(rules)
            alert = mutant["groups"][group]["rules"][rule]
            if change == "fires at once" and not alert.pop("for", None):
                continue
            if change == "never fires":
                alert["expr"] = "vector(1) > 2"
            elif change == "always fires":
                alert["expr"] = "vector(1)"
                alert.pop("for", None)
            yield f"{alert['alert']} {change}", mutant


def rule_mutants(promtool: str) -> int:
    count, missed = 0, 0
    with tempfile.TemporaryDirectory() as directory:
        copies = pathlib.Path(directory)
        tests = copies / "lambert.rules.test.yaml"
        tests.write_bytes((PROMETHEUS / tests.name).read_bytes())
        for change, rules in alert_mutants(yaml.safe_load(RULES.read_text("utf-8"))):
            (copies / RULES.name).write_text(yaml.safe_dump(rules), "utf-8")
            done = subprocess.run([promtool, "test", "rules", tests], capture_output=True,
                                  text=True, check=False)
            count += 1
            if done.returncode == 0 or "got:" not in done.stdout + done.stderr:
                print(f"server_deploy: not noticed: {change}: {done.stderr}", file=sys.stderr)
                missed += 1
    if not missed:
        print(f"ok: the tests of the rules notice each of {count} changed alerts")
    return 1 if missed else 0


def dashboard_queries():
    for panel in json.loads((PROMETHEUS / "lambert.dashboard.json").read_text("utf-8"))["panels"]:
        for target in panel["targets"]:
            yield target["expr"]


def expressions():
    for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]
    yield from dashboard_queries()
    adapter = yaml.safe_load((PROMETHEUS / "adapter.values.yaml").read_text("utf-8"))
    for rule in adapter["rules"]["custom"]:
        yield rule["seriesQuery"]


def metrics(path: str) -> int:
    scraped = set(re.findall(r"^([a-z_]+)", pathlib.Path(path).read_text("utf-8"), re.MULTILINE))
    asked = set()
    for expression in expressions():
        names = re.sub(r'"[^"]*"', "", expression)
        asked.update(re.findall(r"(?<![\w:])((?:lambert|http_server|process)_\w+)(?![\w:])", names))
    for name in sorted(asked - scraped):
        print(f"server_deploy: the server has no metric {name}, which is asked for", file=sys.stderr)
    if asked <= scraped:
        print(f"ok: the {len(asked)} metrics of rules, dashboard and scaling are in the scrape")
    return 0 if asked <= scraped else 1


def queries() -> int:
    rules = [{"record": f"dashboard:query:{number}",
              "expr": query.replace("$__rate_interval", "5m")}
             for number, query in enumerate(dashboard_queries())]
    print(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    return 0


def options(path: str, *rendered: str) -> int:
    """Every variable of the pods is one of `lambert serve --help`, in the file; with its default."""
    text = pathlib.Path(path).read_text("utf-8")
    defaults = {name: default for name, default in
                re.findall(r"\(Env:(LAMBERT_\w+)\)\s[^(]*(?:\((\w[\w.]*)\)\n)?", text)}
    wrong, names = set(), set()
    for number, file in enumerate(rendered):
        deployment, = [document for document in read(file) if document["kind"] == "Deployment"]
        container, = deployment["spec"]["template"]["spec"]["containers"]
        for name, value in ((entry["name"], entry["value"]) for entry in container["env"]):
            if not name.startswith("LAMBERT_"):
                continue
            names.add(name)
            if name not in defaults:
                wrong.add(f"{name} is no variable of lambert serve")
            elif number == 0 and name not in DIFFERENT and defaults[name] not in ("", value):
                wrong.add(f"{name}: the chart's default is {value}, the server's {defaults[name]}")
    for problem in sorted(wrong):
        print(f"server_deploy: {problem}", file=sys.stderr)
    if not wrong:
        print(f"ok: the {len(names)} variables of the pods are those of lambert serve, with its defaults")
    return 1 if wrong else 0


COMMANDS = {"manifests": manifests, "update-table": update_table, "check-table": check_table,
            "schemas": schemas, "rule-mutants": rule_mutants, "metrics": metrics,
            "queries": queries, "options": options}

if __name__ == "__main__":
    sys.exit(COMMANDS[sys.argv[1]](*sys.argv[2:]))
