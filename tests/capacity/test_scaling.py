"""The simulated autoscaler does what KEDA and Kubernetes' autoscaler say that they do."""

from itertools import pairwise

import yaml

from deploy.capacity.scaling import POLL, Rules, Scaler
from deploy.env import ROOT
from tests.capacity import days

VALUES = yaml.safe_load((ROOT / "deploy" / "helm" / "sitter" / "values.yaml").read_text())
RULES = Rules(threshold=60.0, least=1, most=20, cooldown=300.0)


def test_its_rules_are_those_of_the_chart() -> None:
    said = VALUES["scaling"]["gpu"]
    chart = (said["secondsPerWorker"], said["min"], said["max"], said["cooldownSeconds"])
    assert (Rules().threshold, Rules().least, Rules().most, Rules().cooldown) == chart


def test_one_worker_is_added_for_each_threshold_and_no_more_than_doubled_at_once() -> None:
    scaler = Scaler(RULES)
    assert scaler.workers(0.0, 1, 70.0) == 2
    assert scaler.workers(15.0, 2, 60.0 * 12) == 6
    assert scaler.workers(30.0, 6, 60.0 * 12) == 12
    assert scaler.workers(45.0, 12, 60.0 * 99) == 20


def test_a_tenth_more_or_less_changes_nothing() -> None:
    scaler = Scaler(RULES)
    assert scaler.workers(0.0, 10, 60.0 * 10.9) == 10
    assert scaler.workers(15.0, 10, 60.0 * 11.1) == 12


def test_one_goes_a_minute_and_only_when_fewer_were_enough_for_the_whole_cooldown() -> None:
    scaler, now = Scaler(RULES), 5
    told = []
    for tick in range(60):
        now = scaler.workers(tick * POLL, now, 300.0 if tick == 0 else 0.0)
        told.append(now)
    # The five that were wished for at first count for five minutes.
    assert told[:20] == [5] * 20
    assert told[-1] == 1
    steps = [tick for tick in range(1, 60) if told[tick] < told[tick - 1]]
    assert all(after - before >= 4 for before, after in pairwise(steps))


def test_a_day_that_is_scaled_costs_fewer_gpu_hours_and_loses_nothing() -> None:
    fixed = days.run(8, portraits=60_000)
    scaled = days.run(1, portraits=60_000, scaling=Rules(20.0, 1, 8, 120.0))
    assert scaled.counts["done"] == fixed.counts["done"]
    assert 1 < scaled.most_workers <= 8
    assert scaled.gpu_hours < fixed.gpu_hours


def test_whoever_leaves_gives_back_what_waits_and_finishes_the_rest() -> None:
    day = days.run(1, portraits=40_000, scaling=Rules(8.0, 1, 6, 30.0))
    assert day.waiting == 0
    assert day.counts["failed"] <= day.counts["retries"]
