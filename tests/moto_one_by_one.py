"""Moto's server, one request after the other.

Moto serves each request on a thread of its own and locks nothing: a transaction that is refused puts the whole table back as it was before
it, with what others wrote meanwhile, and a message that is sent while another is deleted is gone. Only a receive that waits lets others in.
Each transaction copies the table for that, and its stream, whose records never change: they need no copy.
"""
import threading
import time

import moto.server
from moto.dynamodb.models.table import StreamRecord
from moto.sqs.models import Queue

lock = threading.RLock()


class OneByOne(moto.server.DomainDispatcherApplication):
    def __call__(self, environ, start_response):
        with lock:
            return list(super().__call__(environ, start_response))


def wait_for_messages(queue, timeout, wait=Queue.wait_for_messages):
    lock.release()
    try:
        wait(queue, timeout)
        # A message whose group is worked on is there and is not to be had: it would be asked for without a pause.
        time.sleep(0.05)
    finally:
        lock.acquire()


StreamRecord.__deepcopy__ = lambda record, _: record
Queue.wait_for_messages = wait_for_messages
moto.server.DomainDispatcherApplication = OneByOne
moto.server.main()
