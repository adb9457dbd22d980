"""Prometheus' text format, made from the system's state. Labels are ids of ours: no titles, no names, no addresses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from lfr.actors.control import CameraHealth, SystemStatus

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

STATES = ("starting", "idle", "live", "degraded", "paused", "stopped", "failed")

CAMERA_COUNTERS = {
    "read": ("frames_read", "Frames read from the source."),
    "processed": ("frames_processed", "Frames the detector ran on."),
    "dropped": ("frames_dropped", "Frames left out because a newer one was there."),
    "stale": ("frames_stale", "Frames left out because they were too old."),
    "reconnects": ("reconnects", "How often the source was opened anew."),
    "detections": ("detections", "Faces found."),
    "embeddings": ("embeddings", "Templates computed."),
    "transits": ("transits", "Passages of one person each: faces seen."),
    "alerts": ("alerts", "Alerts raised."),
}


class _Snapshot(Collector):
    """One answer of the supervisor as metric families."""

    def __init__(self, status: SystemStatus, clients: int) -> None:
        self._status = status
        self._clients = clients

    def collect(self) -> Iterable[Metric]:
        status = self._status
        yield _one_of("lfr_state", "The system's state.", "state", STATES, status.state)
        yield _gauge("lfr_watchlist_entries", "People on the watchlist.", status.watchlist_entries)
        yield _gauge("lfr_watchlist_images", "Pictures on the watchlist.", status.watchlist_images)
        yield _gauge("lfr_threshold", "Score from which an alert may be raised.", status.threshold)
        yield _gauge(
            "lfr_nonmatch_age_p95_seconds",
            "Age of crops and templates of people not listed when overwritten, 95th percentile.",
            _seconds(status.nonmatch_age_p95_ms),
        )
        yield _gauge("lfr_nonmatch_age_max_seconds", "The same, the longest.", _seconds(status.nonmatch_age_max_ms))
        yield _gauge("lfr_event_clients", "Clients that follow the event stream of this process.", self._clients)
        yield from self._cameras()
        yield from self._actors()

    def _cameras(self) -> Iterable[Metric]:
        cameras = self._status.cameras
        for field, (name, text) in CAMERA_COUNTERS.items():
            counter = CounterMetricFamily(f"lfr_camera_{name}", text, labels=["camera"])
            for camera in cameras:
                counter.add_metric([camera.id], getattr(camera, field))
            yield counter
        health = GaugeMetricFamily(
            "lfr_camera_health", "1 for the state the camera is in.", labels=["camera", "health"]
        )
        rate = GaugeMetricFamily("lfr_camera_fps", "Frames processed per second.", labels=["camera"])
        age = GaugeMetricFamily("lfr_camera_last_frame_age_seconds", "Age of the last good frame.", labels=["camera"])
        latency = GaugeMetricFamily(
            "lfr_camera_alert_latency_p95_seconds", "Frame to durable alert, 95th percentile.", labels=["camera"]
        )
        for camera in cameras:
            for state in get_args(CameraHealth):
                health.add_metric([camera.id, state], float(camera.health == state))
            rate.add_metric([camera.id], camera.fps)
            if camera.last_frame_age_s is not None:
                age.add_metric([camera.id], camera.last_frame_age_s)
            if camera.latency_p95_ms is not None:
                latency.add_metric([camera.id], camera.latency_p95_ms / 1000)
        yield from (health, rate, age, latency)

    def _actors(self) -> Iterable[Metric]:
        up = GaugeMetricFamily("lfr_actor_up", "1 while the actor lives.", labels=["actor", "kind"])
        restarts = CounterMetricFamily("lfr_actor_restarts", "Restarts since the start.", labels=["actor", "kind"])
        for actor in self._status.actors:
            up.add_metric([actor.name, actor.kind], float(actor.alive))
            restarts.add_metric([actor.name, actor.kind], actor.restarts)
        yield from (up, restarts)


def exposition(status: SystemStatus, *, clients: int) -> bytes:
    """The whole text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Snapshot(status, clients))
    return generate_latest(registry)


def _gauge(name: str, text: str, value: float | None) -> Metric:
    family = GaugeMetricFamily(name, text)
    if value is not None:
        family.add_metric([], value)
    return family


def _one_of(name: str, text: str, label: str, values: Iterable[str], present: str) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value in values:
        family.add_metric([value], float(value == present))
    return family


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
