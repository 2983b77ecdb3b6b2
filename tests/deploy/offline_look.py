"""Run by the tools' own Python: renders the chart, validates what comes out, parses compose files.

Reads {"chart", "renders": {name: values}, "versions", "compose": {name: text}} and answers in JSON.
"""

import json
import sys

import helm_python
import kubernetes_validate
import yaml
from compose_spec import PyCompose


def rendered(chart, values):
    """Every object, or the sentence by which the chart refuses."""
    try:
        files = chart.render(values, name="sitter", namespace="faces")
    except helm_python.HelmError as refusal:
        return {"refused": str(refusal)}
    texts = [text for name, text in files.items() if name.endswith(".yaml")]
    return {"objects": [one for text in texts for one in yaml.safe_load_all(text) if one]}


def faults(one, version):
    """What Kubernetes of a version would say; None where it is no kind of its own."""
    try:
        kubernetes_validate.validate(one, version, strict=True)
    except kubernetes_validate.SchemaNotFoundError:
        return None
    except kubernetes_validate.ValidationError as fault:
        return [f"{one['kind']} {one['metadata']['name']}: {fault.message}"]
    return []


def composed(document):
    try:
        return {"services": list(PyCompose.from_json(json.dumps(document)).service_names())}
    except ValueError as fault:
        return {"refused": str(fault)}


def main(asked):
    with helm_python.Chart.load(asked["chart"]) as chart:
        renders = {name: rendered(chart, values) for name, values in asked["renders"].items()}
    judged = {
        name: [[one["kind"], faults(one, version)] for one in renders[name]["objects"]]
        for name in asked["validate"]
        for version in asked["versions"]
    }
    return {
        "renders": renders,
        "judged": judged,
        "lint": helm_python.lint(asked["chart"])["errors"],
        "compose": {name: composed(one) for name, one in asked["compose"].items()},
    }


if __name__ == "__main__":
    json.dump(main(json.load(sys.stdin)), sys.stdout)
