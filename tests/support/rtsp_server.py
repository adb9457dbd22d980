"""An RTSP server on loopback for tests: GStreamer's, run under the *system* python3, which has its bindings.

Usage: rtsp_server.py PORT LAUNCH [USER PASSWORD]. Prints "ready" when it listens and serves /live until it is ended.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402 - the versions must be asked for first


def main(port: str, launch: str, user: str = "", password: str = "") -> None:
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(launch)
    factory.set_shared(True)
    if user:
        role = "viewer"
        factory.add_role_from_structure(
            Gst.Structure.from_string(f"{role},media.factory.access=true,media.factory.construct=true")[0]
        )
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", role)
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
        server.set_auth(auth)
    server.get_mount_points().add_factory("/live", factory)
    if not server.attach(None):
        sys.exit(f"cannot listen on port {port}")
    print("ready", flush=True)
    GLib.MainLoop().run()


main(*sys.argv[1:])
