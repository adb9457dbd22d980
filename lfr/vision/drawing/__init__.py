"""People and streets drawn as a fixed camera would show them: for the demonstration's scene and for the simulator."""
