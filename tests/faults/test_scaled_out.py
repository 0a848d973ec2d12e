"""The assistant scaled out, while parts of it break: people get a right answer or an honest apology, soon.

What was said before is kept unless Redis, which has it in memory alone, is what died.
"""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from stores.redis_stores import PREFIX
from tests.faults.talker import BEGUN_ANEW, Found, Talkers, say
from tests.topology import Program, Topology

PEOPLE = 3
#: People notice within so long that all is well again. A lock of who died is held for 4 seconds.
RECOVERY_SECONDS = 6.0


@contextmanager
def talking(running: Topology) -> Iterator[Talkers]:
    """People who have begun to talk; at the end nobody may have got anything but an answer or an apology."""
    with Talkers(running.address, PEOPLE) as people:
        people.wait_for_right(2 * PEOPLE)
        yield people
    assert [t for t in people.turns if t.found in (Found.BROKEN, Found.HUNG)] == [], people.odd()


def used(running: Topology, since: int) -> Counter[str]:
    """Which assistants answered, as nginx's log has it from a line on. One of two that were tried is the last."""
    lines = running.nginx.access_log.read_text("utf8").splitlines()[since:]
    return Counter(json.loads(line)["upstream"].rpartition(":")[2] for line in lines if '"route":"ask"' in line)


def lines(running: Topology) -> int:
    return len(running.nginx.access_log.read_text("utf8").splitlines())


def readiness(program: Program) -> tuple[int, str]:
    ready = requests.get(f"{program.address}/health/ready", timeout=10)
    return ready.status_code, ready.json()["status"]


def metric(programs: list[Program], name: str) -> float:
    """The sum of a metric over its labels and over processes."""
    total = 0.0
    for program in programs:
        for line in requests.get(f"{program.address}/metrics", timeout=10).text.splitlines():
            if line.startswith(name):
                total += float(line.rpartition(" ")[2])
    return total


def test_a_conversation_moves_between_assistants_and_keeps_its_context(whole: Topology) -> None:
    before = lines(whole)
    with talking(whole) as people:
        people.wait_for_right(8 * PEOPLE)
    assert people.counted().keys() == {Found.RIGHT}, people.odd()

    sender, answered_by = uuid.uuid4().hex, set()
    for message, condition in (("what causes ms", "MS"), *(("and for ALS?", "ALS"), ("and MS?", "MS")) * 2):
        line = lines(whole)
        assert say(whole.address, sender, message, "cause", condition, True).found is Found.RIGHT
        answered_by |= set(used(whole, line))
    assert answered_by == {str(one.port) for one in whole.assistants}
    counts = used(whole, before)
    assert min(counts[str(one.port)] for one in whole.assistants) > 0.25 * sum(counts.values())


def test_one_of_two_assistants_is_killed(whole: Topology) -> None:
    killed = whole.assistants[0]
    with talking(whole) as people:
        begin = time.monotonic()
        killed.kill()
        people.wait_for_right(3 * PEOPLE)
        without = lines(whole)
        people.wait_for_right(2 * PEOPLE)
        assert str(killed.port) not in used(whole, without)
        killed.start()
        people.wait_for_right(PEOPLE)
        back = lines(whole)
        people.wait_for_right(4 * PEOPLE)
        # nginx leaves it out for five seconds after it was found away
        deadline = time.monotonic() + 8
        while str(killed.port) not in used(whole, back) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert str(killed.port) in used(whole, back)
    counted = people.counted(begin)
    # Lost is at most what it was just answering; what was said before is not.
    assert counted[Found.APOLOGY] <= PEOPLE
    assert counted[Found.ANOTHER] == 0, people.odd()


def test_an_action_server_is_killed(whole: Topology) -> None:
    with talking(whole) as people:
        begin = time.monotonic()
        whole.actions[0].kill()
        people.wait_for_right(3 * PEOPLE)
        whole.actions[0].start()
        people.wait_for_right(PEOPLE)
    # Its calls are made again at the other one.
    assert people.counted(begin).keys() == {Found.RIGHT}, people.odd()


def test_both_action_servers_are_away_and_come_back(whole: Topology) -> None:
    with talking(whole) as people:
        for one in whole.actions:
            one.kill()
        begin = time.monotonic()
        time.sleep(1.5)
        assert people.counted(begin).keys() == {Found.APOLOGY}, people.odd()
        for one in whole.actions:
            one.start()
        assert people.wait_for_right(2 * PEOPLE) < RECOVERY_SECONDS
    assert people.counted()[Found.ANOTHER] == 0, people.odd()


def test_action_servers_that_do_not_answer_are_apologised_for_in_time(whole: Topology) -> None:
    with talking(whole) as people:
        for one in whole.actions:
            one.freeze()
        try:
            begin = time.monotonic()
            time.sleep(9.5)
            slow = [t for t in people.turns if t.began >= begin - 1 and t.found is not Found.RIGHT]
        finally:
            for one in whole.actions:
                one.thaw()
        assert len(slow) >= PEOPLE
        assert people.wait_for_right(2 * PEOPLE) < RECOVERY_SECONDS
    assert people.counted()[Found.ANOTHER] == 0, people.odd()


def test_redis_is_killed_and_comes_back_empty(whole: Topology) -> None:
    with talking(whole) as people:
        whole.redis.kill()
        begin = time.monotonic()
        time.sleep(2.0)
        assert people.counted(begin).keys() == {Found.APOLOGY}, people.odd()
        # Were they unready, nothing would pass a cry for help on to them.
        assert {readiness(one) for one in whole.assistants} == {(200, "degraded")}
        whole.redis.start()
        assert people.wait_for_right(2 * PEOPLE) < RECOVERY_SECONDS
        well = time.monotonic()
        people.wait_for_right(2 * PEOPLE)
    # Conversations under way begin afresh, once each; they are never answered as if they were others.
    lost = [t for t in people.turns if t.found is Found.ANOTHER]
    assert len(lost) <= PEOPLE
    assert [t for t in lost if not t.follow_up or not t.detail.startswith(BEGUN_ANEW)] == []
    after = people.counted(well)
    assert after.keys() <= {Found.RIGHT, Found.APOLOGY}, people.odd()
    assert after[Found.RIGHT] > after.get(Found.APOLOGY, 0)


def test_redis_does_not_answer_for_a_while(whole: Topology) -> None:
    with talking(whole) as people:
        whole.redis.freeze()
        try:
            begin = time.monotonic()
            time.sleep(4.0)
            meanwhile = people.counted(begin)
        finally:
            whole.redis.thaw()
        assert meanwhile.keys() <= {Found.APOLOGY}, people.odd()
        assert people.wait_for_right(2 * PEOPLE) < RECOVERY_SECONDS
    # It has forgotten nothing.
    assert people.counted()[Found.ANOTHER] == 0, people.odd()


def test_postgresql_is_stopped_and_comes_back(whole: Topology) -> None:
    def vote() -> requests.Response:
        body = {"vote": uuid.uuid4().hex, "outcome": "answered", "topic": "cause", "helpful": True}
        return requests.post(f"{whole.address}/feedback", json=body, timeout=10)

    def kept(table: str) -> int:
        ((number,),) = whole.postgres.query(f"select count(*) from {table}")
        return int(str(number))

    time.sleep(0.5)  # the log of questions is written by a thread
    turns, rows, votes = metric(whole.assistants, "msals_turns_total{"), kept("question_log"), kept("feedback")
    dropped = metric(whole.assistants, 'msals_errors_total{where="question_log"}')
    with talking(whole) as people:
        taken = [vote().status_code]
        whole.postgres.stop()
        time.sleep(2.5)
        refused = vote()
        whole.postgres.start()
        taken.append(vote().status_code)
    # Votes and the log of questions are all that is kept there.
    assert people.counted().keys() == {Found.RIGHT}, people.odd()
    assert taken == [200, 200]
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "unavailable")
    assert kept("feedback") == votes + 2
    # Every turn is a row, or counted as one that could not be kept.
    deadline, missing = time.monotonic() + 8, -1.0
    while missing and time.monotonic() < deadline:
        new = metric(whole.assistants, "msals_turns_total{") - turns
        lost = metric(whole.assistants, 'msals_errors_total{where="question_log"}') - dropped
        missing = new - lost - (kept("question_log") - rows)
        time.sleep(0.2)
    assert missing == 0
    assert 0 < lost <= new


def test_who_is_forgotten_by_one_assistant_is_forgotten_by_the_other(whole: Topology) -> None:
    sender = uuid.uuid4().hex
    line = lines(whole)
    for message, condition in (("what causes ms", "MS"), ("and for ALS?", "ALS")):
        assert say(whole.address, sender, message, "cause", condition, True).found is Found.RIGHT
    key = f"{PREFIX}conversation:rest:{sender}"
    assert whole.redis.client.exists(key)
    body = {"sender": sender, "message": "forget me"}
    (reply,) = requests.post(f"{whole.address}/webhooks/rest/webhook", json=body, timeout=10).json()
    assert reply["forget"] is True
    assert not whole.redis.client.exists(key)
    for _ in range(2):  # both are asked
        assert say(whole.address, sender, "tell me more", "cause", "ALS", True).detail.startswith("clarify")
    assert len(used(whole, line)) == 2


@pytest.mark.parametrize("which", [0, 1])
def test_it_is_ready_again_after_all_that(which: int, whole: Topology) -> None:
    assert readiness(whole.assistants[which]) == (200, "ok")
