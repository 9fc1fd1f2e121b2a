# SPDX-License-Identifier: MIT
"""Which server a stunnel.conf leads to, and how its connections end."""

import pytest
from harness.ports import free_port
from harness.server import FullBacklog, silent
from harness.stunnel import Program, refused, served
from harness.wait import eventually

pytestmark = pytest.mark.needs("stunnel4")


@pytest.mark.parametrize("failover", ["prio", "rr"])
def test_failover_past_a_dead_server(program, witness, fill, failover):
    one, two = witness(), witness()
    dead = free_port()
    running = program(fill(f"[ha]\nclient = yes\naccept = 127.0.0.1:0\nfailover = {failover}\n"
                           f"connect = 127.0.0.1:{dead}\nconnect = {one.address}\n"
                           f"connect = {two.address}\n"))
    for _ in range(6):
        served(running.connect("ha"))
    assert one.accepted + two.accepted == 6
    if failover == "prio":
        assert (one.accepted, two.accepted) == (6, 0)
    else:
        assert min(one.accepted, two.accepted) >= 2


def test_failover_past_a_server_that_does_not_answer(program, witness, keep, fill):
    server = witness()
    silent_one = keep(FullBacklog())
    running = program(fill("[ha]\nclient = yes\naccept = 127.0.0.1:0\nTIMEOUTconnect = 1\n"
                           f"connect = {silent_one.address}\nconnect = {server.address}\n"
                           "failover = prio\n"))
    served(running.connect("ha"))


def test_improvement_failover_past_a_server_with_the_wrong_certificate(
        tmp_path, keep, witness, fill, pki):
    """stunnel's choice is final once TCP stands."""
    wrong, right = witness(identity=pki.untrusted), witness()
    text = fill("[ha]\nclient = yes\naccept = 127.0.0.1:0\nfailover = prio\nverifyChain = yes\n"
                f"CAfile = {{ca}}\nconnect = {wrong.address}\nconnect = {right.address}\n")
    refused(keep(Program("stunnel", tmp_path, text)).connect("ha"))
    served(keep(Program("tunnel", tmp_path, text)).connect("ha"))


def test_end_without_close_notify_is_an_end(program, witness, fill):
    """stunnel takes it for an orderly one, and files that were written for it rely on that."""

    def script(peer):
        peer.send(b"x" * 100_000)
        peer.fin()
        silent(peer)

    server = witness(script)
    running = program(fill("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = {server}\n",
                           server))
    client = running.connect("svc")
    assert len(client.expect_eof()) == 100_000
    client.close()


def test_half_close_then_the_answer(program, witness, fill):
    def script(peer):
        asked = peer.read_to_end()
        assert asked == (b"question", "close_notify")
        peer.send(b"answer")
        peer.close_notify()

    server = witness(script)
    running = program(fill("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = {server}\n"
                           "TIMEOUTclose = 30\n", server))
    client = running.connect("svc")
    client.send(b"question")
    client.half_close()
    assert client.expect_eof() == b"answer"


def test_idle_connection_is_reset(program, witness, fill):
    ends = []
    server = witness(lambda peer: ends.append(peer.read_to_end()))
    running = program(fill("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = {server}\n"
                           "TIMEOUTidle = 1\n", server))
    client = running.connect("svc")
    refused(client)
    eventually(lambda: ends, "the server sees the end")
    assert ends == [(b"", "reset")]


def test_improvement_resets_are_passed_on(tmp_path, keep, witness, fill, kind, program):
    """stunnel makes orderly ends of them, both ways."""
    orders, ends = [], []

    def script(peer):
        orders.append(peer.recv(1))
        if orders[-1] == b"r":
            peer.send(b"x")
            peer.reset()
        else:
            peer.send(b"k")
            ends.append(peer.read_to_end())

    server = witness(script)
    running = program(fill("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = {server}\n",
                           server))
    client = running.connect("svc")
    client.send(b"r")
    end = client.read_to_end()
    if kind != "stunnel":
        assert end == (b"x", "reset")
    client = running.connect("svc")
    client.send(b"k")
    assert client.recv_exact(1) == b"k"
    client.reset()
    eventually(lambda: ends, "the server sees the end")
    assert ends[0].how == ("close_notify" if kind == "stunnel" else "reset")
