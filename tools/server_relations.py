"""Whether the objects that one set of the chart's values renders fit each other.

  server_relations.py NAME=FILE...   the objects in FILE, rendered from the value set NAME
  server_relations.py --mutants DIR  each of the mistakes below is noticed in DIR/hub.yaml, DIR/s3.yaml
"""
import pathlib
import re
import sys

import yaml

# What each value set of the chart's ci/ has to come to, beside relations.
ALWAYS = {"Deployment", "Service"}
EXPECTED = {
    "default": {
        "kinds": {"ServiceAccount", "HorizontalPodAutoscaler", "PodDisruptionBudget",
                  "NetworkPolicy"},
        "image": "lambert-server:0.1.0", "grace": 50, "metrics": ["cpu"], "egress": []},
    "hub": {
        "kinds": {"ServiceAccount", "PodDisruptionBudget", "NetworkPolicy", "Ingress"},
        "image": "registry.example.com/lambert-server@sha256:" + "0123456789abcdef" * 4,
        "grace": 50, "egress": [53, 53, 443],
        "env": {"LAMBERT_MODEL": "hf://distilbert/distilbert-base-cased-distilled-squad",
                "LAMBERT_PRECISION": "int8", "HF_HOME": "/cache/huggingface",
                "LAMBERT_API_KEYS": "/etc/lambert/api-keys"}},
    "s3": {
        "kinds": {"ServiceAccount", "HorizontalPodAutoscaler", "PodDisruptionBudget",
                  "NetworkPolicy", "ServiceMonitor", "PrometheusRule"},
        "image": "lambert-server:0.1.0", "grace": 33, "metrics": ["http_server_active_requests"],
        "egress": [53, 53, 443, 80], "objective": "vector(0.25)",
        "env": {"LAMBERT_MODEL": "s3://models/squad-distilbert.tar.gz", "LAMBERT_PORT": "9000",
                "LAMBERT_REQUEST_TIMEOUT": "8", "LAMBERT_MAX_BODY": "33554432",
                "LAMBERT_CORS_ORIGIN": "https://example.com", "AWS_REGION": "eu-central-1"}},
    "volume": {
        "kinds": {"HorizontalPodAutoscaler"},
        "image": "lambert-server:0.1.0", "grace": 45, "metrics": ["lambert_queue_depth", "cpu"],
        "env": {"LAMBERT_MODEL": "/models/squad.lambert"}},
    "plain": {
        "kinds": {"ServiceAccount", "HorizontalPodAutoscaler", "PodDisruptionBudget",
                  "NetworkPolicy"},
        "image": "lambert-server:0.1.0", "grace": 50, "metrics": ["cpu"], "egress": []},
    "plain-monitoring": {
        "kinds": {"ServiceAccount", "HorizontalPodAutoscaler", "PodDisruptionBudget",
                  "NetworkPolicy", "ServiceMonitor", "PrometheusRule"},
        "image": "lambert-server:0.1.0", "grace": 50, "metrics": ["lambert_queue_depth", "cpu"],
        "egress": [], "objective": "vector(2.5)"},
}


def read(path) -> list:
    return [document for document in yaml.safe_load_all(pathlib.Path(path).read_text("utf-8"))
            if document]


class Objects:
    """The objects of one rendering by kind, of each one at most, and their nearest parts."""

    def __init__(self, documents: list):
        self.by_kind = {document["kind"]: document for document in documents}
        if len(self.by_kind) != len(documents):
            raise SystemExit("server_deploy: two objects of one kind")
        self.template = self["Deployment"]["spec"]["template"]
        self.pod = self.template["spec"]
        self.container, = self.pod["containers"]
        self.env = {entry["name"]: entry.get("value") for entry in self.container["env"]}
        self.port, = self.container["ports"]

    def __getitem__(self, kind: str) -> dict:
        return self.by_kind[kind]

    def get(self, kind: str) -> dict:
        return self.by_kind.get(kind)


def selector_problems(objects: Objects):
    labels = objects.template["metadata"]["labels"].items()
    selectors = [("Deployment", objects["Deployment"]["spec"]["selector"]["matchLabels"]),
                 ("Service", objects["Service"]["spec"]["selector"])]
    for kind, field in (("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")):
        if objects.get(kind):
            selectors.append((kind, objects[kind]["spec"][field]["matchLabels"]))
    for spread in objects.pod["topologySpreadConstraints"]:
        selectors.append(("topologySpreadConstraints", spread["labelSelector"]["matchLabels"]))
    for kind, selector in selectors:
        if not selector or not selector.items() <= labels:
            yield f"{kind}: selector {selector} is not among the pod's labels"


def port_problems(objects: Objects):
    service = objects["Service"]
    names = {port["name"] for port in service["spec"]["ports"]}
    for port in service["spec"]["ports"]:
        if port["targetPort"] != objects.port["name"]:
            yield f"Service: targetPort {port['targetPort']} is no port of the container"
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        path = "/readyz" if probe == "readinessProbe" else "/livez"
        wanted = {"path": path, "port": objects.port["name"]}
        if objects.container.get(probe, {}).get("httpGet") != wanted:
            yield f"{probe}: httpGet is not {wanted}"
    if objects.env.get("LAMBERT_PORT") != str(objects.port["containerPort"]):
        yield "LAMBERT_PORT is not containerPort"
    monitor, ingress, policy = map(objects.get, ("ServiceMonitor", "Ingress", "NetworkPolicy"))
    if monitor:
        endpoint, = monitor["spec"]["endpoints"]
        if endpoint["port"] not in names or endpoint["path"] != "/metrics":
            yield f"ServiceMonitor: endpoint {endpoint} is not of the Service"
        if not monitor["spec"]["selector"]["matchLabels"].items() <= \
                service["metadata"]["labels"].items():
            yield "ServiceMonitor: its selector is not among the Service's labels"
    for rule in ingress["spec"]["rules"] if ingress else ():
        backend = rule["http"]["paths"][0]["backend"]["service"]
        if backend["name"] != service["metadata"]["name"] or backend["port"]["name"] not in names:
            yield f"Ingress: backend {backend} is not the Service"
    for rule in policy["spec"]["ingress"] if policy else ():
        if [port["port"] for port in rule["ports"]] != [objects.port["containerPort"]]:
            yield "NetworkPolicy: an ingress rule is not for the container's port"
    if policy and policy["spec"]["policyTypes"] != ["Ingress", "Egress"]:
        yield "NetworkPolicy: not for both directions"


def security_problems(objects: Objects):
    """Pod Security's profile `restricted`, a root that cannot be written, and no token."""
    pod, container = objects.pod["securityContext"], objects.container["securityContext"]
    wanted = [(pod, "runAsNonRoot", True), (pod, "runAsUser", 65532),
              (pod, "seccompProfile", {"type": "RuntimeDefault"}),
              (container, "allowPrivilegeEscalation", False),
              (container, "readOnlyRootFilesystem", True),
              (container, "capabilities", {"drop": ["ALL"]}),
              (objects.pod, "automountServiceAccountToken", False),
              # A Service named lambert would set LAMBERT_PORT=tcp://... in place of what the user set.
              (objects.pod, "enableServiceLinks", False)]
    for where, field, value in wanted:
        if where.get(field) != value:
            yield f"{field} is {where.get(field)}, not {value}"
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if objects.pod.get(field):
            yield f"{field} is set"
    for volume in objects.pod.get("volumes", []):
        kinds = set(volume) - {"name"}
        if not kinds <= {"emptyDir", "secret", "configMap", "persistentVolumeClaim", "csi"}:
            yield f"volume {volume['name']}: {kinds} is not allowed by the profile"
    for kind in ("requests", "limits"):
        if set(objects.container["resources"].get(kind, {})) != {"cpu", "memory"}:
            yield f"resources: no {kind} of cpu and memory"


def storage_problems(objects: Objects):
    mounts = {mount["name"]: mount for mount in objects.container.get("volumeMounts", [])}
    volumes = {volume["name"]: volume for volume in objects.pod.get("volumes", [])}
    if set(mounts) != set(volumes):
        yield f"volumes {sorted(volumes)}, but mounts {sorted(mounts)}"
    keys = objects.env.get("LAMBERT_API_KEYS")
    if keys:
        item, = volumes["api-keys"]["secret"]["items"]
        if keys != f"{mounts.get('api-keys', {}).get('mountPath')}/{item['path']}":
            yield f"LAMBERT_API_KEYS: {keys} is not mounted"
    hub = (objects.env.get("LAMBERT_MODEL") or "").startswith("hf://")
    if hub and not (objects.env.get("HF_HOME", "") + "/").startswith(
            mounts.get("cache", {}).get("mountPath", "?") + "/"):
        yield "HF_HOME is not on a volume that can be written"


def time_problems(objects: Objects):
    sleep = objects.container.get("lifecycle", {}).get("preStop", {}).get("sleep", {})
    longest = float(objects.env["LAMBERT_REQUEST_TIMEOUT"])
    if objects.pod["terminationGracePeriodSeconds"] < sleep.get("seconds", 0) + longest + 15:
        yield "terminationGracePeriodSeconds is less than preStop, the longest request and 15 s"
    for name in ("LAMBERT_THREADS", "LAMBERT_MAX_QUEUE", "LAMBERT_MAX_WAIT", "LAMBERT_MAX_BODY",
                 "LAMBERT_MAX_WINDOWS", "LAMBERT_MAX_CONNECTIONS"):
        if not re.fullmatch("[0-9]+", objects.env.get(name) or ""):
            yield f"{name}={objects.env.get(name)} is no number"
    if len(objects.env) != len(objects.container["env"]):
        yield "a variable is there twice"


def scaling_problems(objects: Objects):
    scaler, deployment = objects.get("HorizontalPodAutoscaler"), objects["Deployment"]
    if ("replicas" in deployment["spec"]) == bool(scaler):
        yield "replicas and a HorizontalPodAutoscaler exclude each other"
    if scaler:
        target = scaler["spec"]["scaleTargetRef"]
        if target != {"apiVersion": "apps/v1", "kind": "Deployment",
                      "name": deployment["metadata"]["name"]}:
            yield f"HorizontalPodAutoscaler: {target} is not the Deployment"


def metric_names(scaler: dict) -> list:
    return [metric["pods"]["metric"]["name"] if metric["type"] == "Pods"
            else metric["resource"]["name"] for metric in scaler["spec"]["metrics"]]


def egress_ports(policy: dict) -> list:
    return [port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]]


def objective(rule: dict) -> str:
    value, = [entry["expr"] for group in rule["spec"]["groups"] for entry in group["rules"]
              if entry.get("record") == "lambert:latency_objective:seconds"]
    return value


def expectation_problems(objects: Objects, expected: dict):
    found = {"kinds": set(objects.by_kind) - ALWAYS, "image": objects.container["image"],
             "grace": objects.pod["terminationGracePeriodSeconds"]}
    for field, kind, function in (("metrics", "HorizontalPodAutoscaler", metric_names),
                                  ("egress", "NetworkPolicy", egress_ports),
                                  ("objective", "PrometheusRule", objective)):
        if objects.get(kind):
            found[field] = function(objects[kind])
    found["env"] = {name: objects.env.get(name) for name in expected.get("env", {})}
    for field in sorted(set(found) | set(expected)):
        if found.get(field) != expected.get(field, {} if field == "env" else None):
            yield f"{field} is {found.get(field)}, not {expected.get(field)}"


def problems(name: str, documents: list) -> list:
    objects = Objects(documents)
    found = [problem for function in (
        selector_problems, port_problems, security_problems, storage_problems, time_problems,
        scaling_problems) for problem in function(objects)]
    return found + list(expectation_problems(objects, EXPECTED[name]))


# Mistakes in the rendering of the value set hub or s3 (statements; `o` is its Objects).
MUTANTS = (
    ("hub", "o['Service']['spec']['selector']['app.kubernetes.io/name'] = 'lambda'"),
    ("hub", "o['PodDisruptionBudget']['spec']['selector']['matchLabels'] = {'a': 'b'}"),
    ("hub", "o['NetworkPolicy']['spec']['podSelector']['matchLabels'] = {'a': 'b'}"),
    ("hub", "o.pod['topologySpreadConstraints'][1]['labelSelector']['matchLabels'] = {'a': 'b'}"),
    ("hub", "o['Service']['spec']['ports'][0]['targetPort'] = 'web'"),
    ("hub", "o.container['readinessProbe']['httpGet']['path'] = '/livez'"),
    ("hub", "del o.container['livenessProbe']"),
    ("hub", "o.port['containerPort'] = 8081"),
    ("hub", "o['Ingress']['spec']['rules'][1]['http']['paths'][0]['backend']['service']['name'] = 'x'"),
    ("hub", "o['NetworkPolicy']['spec']['ingress'][0]['ports'][0]['port'] = 80"),
    ("hub", "o['NetworkPolicy']['spec']['policyTypes'].pop()"),
    ("hub", "o['NetworkPolicy']['spec']['egress'] = []"),
    ("hub", "del o.pod['securityContext']['runAsNonRoot']"),
    ("hub", "o.pod['securityContext']['seccompProfile']['type'] = 'Unconfined'"),
    ("hub", "o.container['securityContext']['readOnlyRootFilesystem'] = False"),
    ("hub", "o.container['securityContext']['capabilities']['drop'] = ['NET_RAW']"),
    ("hub", "del o.pod['automountServiceAccountToken']"),
    ("hub", "del o.pod['enableServiceLinks']"),
    ("hub", "o.pod['hostNetwork'] = True"),
    ("hub", "o.pod['volumes'].append({'name': 'h', 'hostPath': {'path': '/'}})"),
    ("hub", "del o.container['resources']['limits']"),
    ("hub", "o.container['volumeMounts'].pop()"),
    ("hub", "o.pod['volumes'][1]['secret']['items'][0]['path'] = 'keys'"),
    ("hub", "o.container['volumeMounts'][0]['mountPath'] = '/tmp'"),
    ("hub", "o.pod['terminationGracePeriodSeconds'] = 30"),
    ("hub", "o.container['env'].append({'name': 'LAMBERT_THREADS', 'value': '8'})"),
    ("hub", "o.container['env'][6]['value'] = '8.388608e+06'"),
    ("hub", "del o['Deployment']['spec']['replicas']"),
    ("hub", "o.container['image'] = 'lambert-server:latest'"),
    ("s3", "o['HorizontalPodAutoscaler']['spec']['scaleTargetRef']['name'] = 'lambert'"),
    ("s3", "o['HorizontalPodAutoscaler']['spec']['metrics'][0]['pods']['metric']['name'] = 'x'"),
    ("s3", "o['ServiceMonitor']['spec']['endpoints'][0]['port'] = 'web'"),
    ("s3", "o['ServiceMonitor']['spec']['selector']['matchLabels'] = {'a': 'b'}"),
    ("s3", "o['PrometheusRule']['spec']['groups'][0]['rules'][0]['expr'] = 'vector(2.5)'"),
    ("s3", "o['Deployment']['spec']['replicas'] = 2"),
)


def mutants(directory: str) -> int:
    missed = 0
    for name, mistake in MUTANTS:
        documents = read(f"{directory}/{name}.yaml")
        if problems(name, documents):
            raise SystemExit(f"server_relations: {name} has problems of its own")
        exec(mistake, {"o": Objects(documents)})  # pylint: disable=exec-used
        if not problems(name, documents):
            print(f"server_relations: not noticed: {mistake}", file=sys.stderr)
            missed += 1
    if not missed:
        print(f"ok: relations: each of {len(MUTANTS)} mistakes is noticed")
    return 1 if missed else 0


def main() -> int:
    if sys.argv[1] == "--mutants":
        return mutants(sys.argv[2])
    found = 0
    for argument in sys.argv[1:]:
        name, path = argument.split("=", 1)
        for problem in problems(name, read(path)):
            print(f"server_relations: {name}: {problem}", file=sys.stderr)
            found += 1
    if not found:
        print(f"ok: relations: the objects of {len(sys.argv) - 1} value sets fit each other")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
