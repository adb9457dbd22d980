from lfr.actors.journal import Journal, Place


def test_starts_are_counted_over_deaths(tmp_path):
    assert [Journal(tmp_path / "run", "camera-a").start() for _ in range(3)] == [0, 1, 2]
    assert Journal(tmp_path / "run", "camera-b").start() == 0


def test_the_last_place_survives_and_a_torn_file_is_a_fresh_start(tmp_path):
    journal = Journal(tmp_path, "camera-a")
    assert journal.place() == Place()
    journal.write(Place(frame=10, read=12))
    journal.write(Place(frame=11, read=13, alerts=1))
    assert Journal(tmp_path, "camera-a").place() == Place(frame=11, read=13, alerts=1)
    (tmp_path / "camera-a.place").write_bytes(b"\0" * 7)
    assert Journal(tmp_path, "camera-a").place() == Place()
    journal.close()
