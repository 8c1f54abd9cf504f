"""The library's own published suites run against our log, and its stock recorder reads our table."""

import uuid
from unittest import TestCase

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from eventsourcing.tests.persistence import ApplicationRecorderTestCase, NonInterleavingNotificationIDsBaseCase
from psycopg.conninfo import conninfo_to_dict

from tests.eventstore.recorder import TABLE, EscrowRecorder


def open_datastore(dsn):
    parts = conninfo_to_dict(dsn)
    return PostgresDatastore(
        dbname=parts["dbname"],
        host=parts["host"],
        port=parts.get("port", "5432"),
        user=parts["user"],
        password=parts["password"],
        pool_size=10,
    )


class OnOurLog:
    @pytest.fixture(autouse=True)
    def _open(self, database):
        self.datastore = open_datastore(database.app_dsn)
        yield
        self.datastore.close()

    def create_recorder(self):
        return EscrowRecorder(self.datastore, events_table_name=TABLE)


class TestApplicationRecorder(OnOurLog, ApplicationRecorderTestCase, TestCase):
    def test_insert_subscribe(self):
        self.optional_test_insert_subscribe()


class TestNonInterleaving(OnOurLog, NonInterleavingNotificationIDsBaseCase, TestCase):
    pass


def test_the_stock_recorder_reads_our_table_and_cannot_write_it(database):
    datastore = open_datastore(database.app_dsn)
    stream = uuid.uuid4()
    first, second = StoredEvent(stream, 1, "t", b"{}"), StoredEvent(stream, 2, "t", b"{}")
    assert EscrowRecorder(datastore, events_table_name=TABLE).insert_events([first, second]) == [1, 2]
    stock = PostgresApplicationRecorder(datastore, events_table_name=TABLE)
    assert stock.select_events(stream) == [first, second]
    assert stock.max_notification_id() == 2
    assert [notification.id for notification in stock.select_notifications(1, 10)] == [1, 2]
    with pytest.raises(Exception, match="permission denied"):
        stock.insert_events([StoredEvent(stream, 3, "t", b"{}")])
    datastore.close()


def test_the_recorder_refuses_what_is_there_already_or_leaves_a_gap(database):
    datastore = open_datastore(database.app_dsn)
    recorder = EscrowRecorder(datastore, events_table_name=TABLE)
    stream = uuid.uuid4()
    event = StoredEvent(stream, 1, "t", b"{}")
    assert recorder.insert_events([]) == []
    assert recorder.insert_events([event]) == [1]
    for refused in (event, StoredEvent(stream, 1, "t", b"[]"), StoredEvent(stream, 3, "t", b"{}")):
        with pytest.raises(IntegrityError):
            recorder.insert_events([refused])
    assert recorder.max_notification_id() == 1
    datastore.close()
