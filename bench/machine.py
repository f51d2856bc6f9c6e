"""Facts about this machine that a reader needs to judge the times."""
import json
import os
import platform
import subprocess
from importlib import metadata

ISA_FLAGS = ("avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8",
             "amx_bf16", "asimddp", "i8mm", "sve")


def cpu_facts() -> dict:
    model, flags = platform.processor() or platform.machine(), []
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                model = value.strip()
            elif key.strip() in ("flags", "Features"):
                flags = value.split()
    return {"cpu": model, "isa": [flag for flag in ISA_FLAGS if flag in flags]}


def cache_facts() -> dict:
    """Size of each level of cpu0's data caches, as the kernel reports it."""
    caches, base = {}, "/sys/devices/system/cpu/cpu0/cache"
    for index in sorted(os.listdir(base)) if os.path.isdir(base) else []:
        def read(name):
            with open(f"{base}/{index}/{name}", encoding="utf-8") as file:
                return file.read().strip()
        if index.startswith("index") and read("type") != "Instruction":
            caches["L" + read("level")] = read("size")
    return caches


def versions_of(packages) -> dict:
    return {name: metadata.version(name) for name in packages}


def package_versions() -> dict:
    return versions_of(("onnxruntime", "openvino", "nncf", "torch", "transformers"))


def versions(lambert: str) -> dict:
    version = subprocess.run([lambert, "version"], capture_output=True, text=True, check=True)
    compiler = subprocess.run(["g++", "--version"], capture_output=True, text=True, check=True)
    return {"lambert": version.stdout.splitlines()[0], "compiler": compiler.stdout.splitlines()[0],
            **package_versions(),
            "python": platform.python_version()}


def peak(program: str) -> dict:
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def facts(build_dir: str) -> dict:
    return {**cpu_facts(), "cores": len(os.sched_getaffinity(0)), "caches": cache_facts(),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
            "kernel": platform.release(), "versions": versions(f"{build_dir}/lambert"),
            "peak_before": peak(f"{build_dir}/bench_peak")}
