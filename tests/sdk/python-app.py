"""An application with the gRPC server of Dapr's Python SDK, and a client of it; prints what it saw as JSON."""

import json
import os
import sys
import threading
import time

import grpc
from dapr.clients import DaprClient
from dapr.clients.exceptions import DaprGrpcError
from dapr.clients.grpc._response import TopicEventResponse
from dapr.ext.grpc import App, InvokeMethodRequest, InvokeMethodResponse, Rule

app = App()
seen = {}
PUBSUB = 'pubsub-redis'


def keep(name, value):
    seen.setdefault(name, []).append(value)


def wait_for(name, count):
    for _ in range(400):
        if len(seen.get(name, [])) >= count:
            break
        time.sleep(0.025)
    return seen.get(name, [])


@app.method(name='my-method')
def my_method(request: InvokeMethodRequest) -> InvokeMethodResponse:
    headers = (('head-1', 'value-1'),)
    return InvokeMethodResponse(b'got ' + request.data, 'text/plain; charset=UTF-8', headers)


@app.subscribe(pubsub_name=PUBSUB, topic='TOPIC_B')
def topic_b(event):
    keep('TOPIC_B', [event.Data().decode(), event.Subject(), event.EventType()])


@app.subscribe(pubsub_name=PUBSUB, topic='TOPIC_A', rule=Rule('event.type == "special"', 1))
def special(event):
    keep('special', event.Data().decode())


@app.subscribe(pubsub_name=PUBSUB, topic='TOPIC_D', dead_letter_topic='TOPIC_D_DEAD')
def fail_and_bury(event):
    keep('TOPIC_D', event.Data().decode())
    return TopicEventResponse('drop')


@app.subscribe(pubsub_name=PUBSUB, topic='TOPIC_D_DEAD')
def buried(event):
    keep('TOPIC_D_DEAD', [event.Data().decode(), event.Subject()])


@app.binding('tick')
def tick(request):
    keep('tick', request.text())


def error_of(work):
    try:
        work()
    except DaprGrpcError as error:
        return [error.code().name, error.error_code()]
    except grpc.RpcError as error:
        return [error.code().name, '']
    return None


def tries(d):
    answer = d.invoke_method('sdk-app', 'my-method', data=b'INVOKE', http_verb='POST')
    # The SDK's dictionary knows one spelling of a name, which is Go's.
    yield 'invoke', [answer.text(), answer.headers.get('Head-1')]
    d.publish_event(PUBSUB, 'TOPIC_B', json.dumps({'id': 1}), data_content_type='application/json')
    yield 'topic', wait_for('TOPIC_B', 1)
    # No rule takes it, and there is nothing besides rules.
    d.publish_event(PUBSUB, 'TOPIC_A', 'y')
    d.publish_event(PUBSUB, 'TOPIC_A', 'x', publish_metadata={'cloudevent.type': 'special'})
    yield 'rule', wait_for('special', 1)
    d.publish_event(PUBSUB, 'TOPIC_D', 'bad', data_content_type='text/plain')
    # A copy: more come later.
    yield 'dead letter', list(wait_for('TOPIC_D_DEAD', 1))
    d.publish_events(PUBSUB, 'TOPIC_D', ['b1', 'b2'], data_content_type='text/plain')
    yield 'bulk', sorted(wait_for('TOPIC_D', 3))
    yield 'binding', len(wait_for('tick', 1)) > 0

    handled = []

    def handler(message):
        handled.append([message.data(), message.topic()])
        return TopicEventResponse('success')

    close = d.subscribe_with_handler(PUBSUB, 'STREAMED', handler, dead_letter_topic='STREAMED_DEAD')
    for n in range(3):
        d.publish_event(PUBSUB, 'STREAMED', json.dumps({'n': n}), data_content_type='application/json')
    for _ in range(400):
        if len(handled) >= 3:
            break
        time.sleep(0.025)
    close()
    yield 'stream', sorted(handled, key=json.dumps)

    d.save_state('state-redis', 'key', 'value')
    state = d.get_state('state-redis', 'key')
    stale = error_of(lambda: d.save_state('state-redis', 'key', 'new', etag='no number'))
    old = error_of(lambda: d.save_state('state-redis', 'key', 'new', etag='999'))
    d.delete_state('state-redis', 'key', etag=state.etag)
    yield 'state', [state.text(), stale, old, d.get_state('state-redis', 'key').text()]
    yield 'error', error_of(lambda: d.save_state('state-redis', 'key||', 'v'))
    yield 'nowhere', error_of(lambda: d.save_state('nowhere', 'key', 'v'))

    # The SDK has its token from DAPR_API_TOKEN.
    yield 'secret', dict(d.get_secret('secret-envvars', 'TEST_SECRET_1').secret)
    yield 'secrets', d.get_bulk_secret('secret-envvars').secrets['TEST_SECRET_2']['TEST_SECRET_2']
    d.set_metadata('is-mine', 'yes')
    metadata = d.get_metadata()
    yield 'metadata', [metadata.application_id, metadata.extended_metadata['is-mine']]
    stored = d.invoke_binding('files', 'create', 'aGVsbG8=', {'fileName': 'python.txt'})
    read = d.invoke_binding('files', 'get', '', {'fileName': 'python.txt'})
    yield 'output binding', [len(stored.data) > 0, read.text()]
    if 'lock' in sys.argv:
        with d.try_lock('lock-redis', 'python', 'me', 60) as lock:
            held = lock.success
        yield 'lock', [held, d.unlock('lock-redis', 'python', 'me').status.name]


threading.Thread(target=lambda: app.run(int(sys.argv[1])), daemon=True).start()
with DaprClient() as client:
    client.wait(30)
    results = {}
    for title, value in tries(client):
        results[title] = value
    print(json.dumps(results), flush=True)
    client.shutdown()
# The server's threads are not waited for.
os._exit(0)
