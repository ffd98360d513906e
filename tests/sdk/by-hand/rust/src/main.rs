//! What the examples of Dapr's Rust SDK do, in one program: an application over gRPC and a client of its
//! sidecar. `PORT` serves what the program says itself, `PORT sdk` the service that the SDK brings, which
//! panics where it is asked for input bindings. It prints what it saw as JSON.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dapr::appcallback::*;
use dapr::client::{Client, ClientOptions};
use dapr::dapr::proto::common::v1::state_options::StateConcurrency;
use dapr::dapr::proto::common::v1::{Etag, HttpExtension, InvokeRequest, StateOptions};
use dapr::dapr::proto::runtime::v1 as rt;
use rt::app_callback_alpha_server::{AppCallbackAlpha, AppCallbackAlphaServer};
use rt::app_callback_server::{AppCallback, AppCallbackServer};
use rt::dapr_client::DaprClient;
use serde_json::{Value, json};
use tokio_stream::StreamExt;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

const BROKER: &str = "pubsub-redis";
const STORE: &str = "state-redis";
type Failed = Box<dyn std::error::Error>;

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<HashMap<String, Vec<String>>>>);

impl Seen {
    fn keep(&self, name: &str, value: String) {
        self.0.lock().unwrap().entry(name.into()).or_default().push(value);
    }

    async fn wait(&self, name: &str, count: usize) -> Vec<String> {
        for _ in 0..400 {
            let mut got = self.0.lock().unwrap().get(name).cloned().unwrap_or_default();
            if got.len() >= count {
                got.sort();
                return got;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        vec![]
    }
}

#[derive(Clone)]
struct App(Seen);

#[tonic::async_trait]
impl AppCallback for App {
    async fn on_invoke(
        &self,
        request: Request<InvokeRequest>,
    ) -> Result<Response<InvokeResponse>, Status> {
        let asked = request.into_inner();
        let http = asked.http_extension.unwrap_or_default();
        if http.verb().as_str_name() == "DELETE" {
            return Err(Status::permission_denied("no DELETE here"));
        }
        let text = format!("{} {} ", http.verb().as_str_name(), http.querystring);
        let mut data = asked.data.unwrap_or_default();
        data.value.splice(0..0, text.into_bytes());
        Ok(Response::new(InvokeResponse { content_type: asked.content_type, data: Some(data) }))
    }

    async fn list_topic_subscriptions(
        &self,
        _: Request<()>,
    ) -> Result<Response<ListTopicSubscriptionsResponse>, Status> {
        let rule = rt::TopicRule {
            r#match: "event.type == \"important\"".into(),
            path: "important".into(),
        };
        let topic = |topic: &str| TopicSubscription::new(BROKER.into(), topic.into(), None);
        let routed = TopicSubscription {
            routes: Some(rt::TopicRoutes { rules: vec![rule], default: "orders".into() }),
            ..topic("neworder")
        };
        let many = TopicSubscription {
            bulk_subscribe: Some(rt::BulkSubscribeConfig { enabled: true, ..Default::default() }),
            ..topic("bulk")
        };
        Ok(Response::new(ListTopicSubscriptionsResponse { subscriptions: vec![routed, many] }))
    }

    async fn on_topic_event(
        &self,
        request: Request<TopicEventRequest>,
    ) -> Result<Response<TopicEventResponse>, Status> {
        let event = request.into_inner();
        self.0.keep(&event.path, String::from_utf8_lossy(&event.data).into());
        Ok(Response::new(TopicEventResponse::default()))
    }

    async fn list_input_bindings(
        &self,
        _: Request<()>,
    ) -> Result<Response<ListInputBindingsResponse>, Status> {
        Ok(Response::new(ListInputBindingsResponse::binding("tick".into())))
    }

    async fn on_binding_event(
        &self,
        request: Request<BindingEventRequest>,
    ) -> Result<Response<BindingEventResponse>, Status> {
        self.0.keep("binding", request.into_inner().name);
        Ok(Response::new(BindingEventResponse::default()))
    }

    async fn on_bulk_topic_event(
        &self,
        request: Request<TopicEventBulkRequest>,
    ) -> Result<Response<TopicEventBulkResponse>, Status> {
        let mut statuses = vec![];
        for entry in request.into_inner().entries {
            use rt::topic_event_bulk_request_entry::Event;
            let data = match entry.event {
                Some(Event::CloudEvent(event)) => event.data,
                Some(Event::Bytes(bytes)) => bytes,
                None => vec![],
            };
            self.0.keep("bulk", String::from_utf8_lossy(&data).into());
            statuses.push(rt::TopicEventBulkResponseEntry { entry_id: entry.entry_id, status: 0 });
        }
        Ok(Response::new(TopicEventBulkResponse { statuses }))
    }

    async fn on_job_event(
        &self,
        _: Request<JobEventRequest>,
    ) -> Result<Response<JobEventResponse>, Status> {
        Err(Status::unimplemented("no jobs"))
    }
}

#[tonic::async_trait]
impl AppCallbackAlpha for App {
    async fn on_bulk_topic_event_alpha1(
        &self,
        request: Request<TopicEventBulkRequest>,
    ) -> Result<Response<TopicEventBulkResponse>, Status> {
        self.on_bulk_topic_event(request).await
    }

    async fn on_job_event_alpha1(
        &self,
        request: Request<JobEventRequest>,
    ) -> Result<Response<JobEventResponse>, Status> {
        self.on_job_event(request).await
    }
}

struct Orders(Seen);

#[tonic::async_trait]
impl HandlerMethod for Orders {
    async fn handler(
        &self,
        request: TopicEventRequest,
    ) -> Result<Response<TopicEventResponse>, Status> {
        self.0.keep("orders", String::from_utf8_lossy(&request.data).into());
        Ok(Response::new(TopicEventResponse::default()))
    }
}

fn serve(port: &str, sdk: bool, seen: Seen) -> Result<(), Failed> {
    let address = format!("127.0.0.1:{port}").parse()?;
    let mut server = Server::builder();
    let router = if sdk {
        let mut service = AppCallbackService::new();
        service.add_handler(Handler {
            pub_sub_name: BROKER.into(),
            topic: "neworder".into(),
            handler: Box::new(Orders(seen)),
        });
        server.add_service(AppCallbackServer::new(service))
    } else {
        server
            .add_service(AppCallbackServer::new(App(seen.clone())))
            .add_service(AppCallbackAlphaServer::new(App(seen)))
    };
    tokio::spawn(async move { router.serve(address).await.unwrap() });
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let args: Vec<String> = std::env::args().collect();
    let sdk = args.get(2).is_some_and(|one| one == "sdk");
    let seen = Seen::default();
    serve(&args[1], sdk, seen.clone())?;
    let mut raw = loop {
        let address = format!("http://127.0.0.1:{}", std::env::var("DAPR_GRPC_PORT")?);
        match DaprClient::connect(address).await {
            Ok(client) => break client,
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    let mut client = Client::from_options(ClientOptions::from_env()?).await?;
    let told = if sdk {
        told_of_sdk(&mut raw, &seen).await?
    } else {
        told(&mut client, &mut raw, &seen).await?
    };
    println!("{told}");
    raw.shutdown(rt::ShutdownRequest {}).await?;
    Ok(())
}

async fn publish(
    raw: &mut DaprClient<tonic::transport::Channel>,
    topic: &str,
    data: &str,
    metadata: &[(&str, &str)],
) -> Result<(), Failed> {
    let request = rt::PublishEventRequest {
        pubsub_name: BROKER.into(),
        topic: topic.into(),
        data: data.as_bytes().to_vec(),
        data_content_type: "text/plain".into(),
        metadata: metadata.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect(),
    };
    raw.publish_event(request).await?;
    Ok(())
}

/// The service of the SDK, whose connection a panic ends while the sidecar asks it what there is.
async fn told_of_sdk(
    raw: &mut DaprClient<tonic::transport::Channel>,
    seen: &Seen,
) -> Result<Value, Failed> {
    for n in 0..5 {
        publish(raw, "neworder", &n.to_string(), &[]).await?;
    }
    Ok(json!({ "topic": seen.wait("orders", 5).await }))
}

async fn told<T: dapr::client::DaprInterface>(
    client: &mut Client<T>,
    raw: &mut DaprClient<tonic::transport::Channel>,
    seen: &Seen,
) -> Result<Value, Failed> {
    let mut echoed = vec![];
    for verb in 1..4 {
        let answer = raw.invoke_service(invoked(verb)).await?.into_inner();
        echoed.push(format!(
            "{} {}",
            answer.content_type,
            String::from_utf8(answer.data.unwrap_or_default().value)?
        ));
    }
    let refused = raw.invoke_service(invoked(5)).await.unwrap_err();
    let plain = client.invoke_service("sdk-app", "echo", None).await?;

    publish(raw, "neworder", "ping", &[]).await?;
    publish(raw, "neworder", "pong", &[("cloudevent.type", "important")]).await?;
    let entry = |id: &str| rt::BulkPublishRequestEntry {
        entry_id: id.into(),
        event: id.into(),
        content_type: "text/plain".into(),
        ..Default::default()
    };
    let failed = raw
        .bulk_publish_event(rt::BulkPublishRequest {
            pubsub_name: BROKER.into(),
            topic: "bulk".into(),
            entries: vec![entry("one"), entry("two")],
            ..Default::default()
        })
        .await?
        .into_inner()
        .failed_entries
        .len();

    client.save_state(STORE, "rust", b"hello".to_vec(), None, None, None).await?;
    let found = client.get_state(STORE, "rust", None).await?;
    let first_write = StateOptions {
        concurrency: StateConcurrency::ConcurrencyFirstWrite.into(),
        consistency: 0,
    };
    let late = client
        .save_state(
            STORE,
            "rust",
            b"x".to_vec(),
            Some(Etag { value: "999".into() }),
            None,
            Some(first_write),
        )
        .await
        .unwrap_err();
    client.delete_state(STORE, "rust", None).await?;
    let bulk = raw
        .get_bulk_state(rt::GetBulkStateRequest {
            store_name: STORE.into(),
            keys: vec!["rust".into()],
            parallelism: 10,
            ..Default::default()
        })
        .await?
        .into_inner();
    let secret = client.get_secret("secret-envvars", "TEST_SECRET_1").await?;
    let configured = client.get_configuration("config-redis", vec!["nothing"], None).await?;
    let created = client
        .invoke_binding(
            "files",
            b"hello".to_vec(),
            "create",
            Some([("fileName".to_string(), "rust.txt".to_string())].into()),
        )
        .await?;
    client.set_metadata("of", "rust").await?;
    let metadata = client.get_metadata().await?;
    let jobs = raw.get_job(rt::GetJobRequest { name: "x".into() }).await.unwrap_err();

    Ok(json!({
        "invoke": echoed,
        "plain": plain.data.is_some(),
        "refused": format!("{:?} {}", refused.code(), refused.message()),
        "topic": [seen.wait("orders", 1).await, seen.wait("important", 1).await],
        "bulk": [json!(failed), json!(seen.wait("bulk", 2).await)],
        "binding": !seen.wait("binding", 1).await.is_empty(),
        "streamed": streamed(raw).await?,
        "state": [json!(String::from_utf8(found.data)?), json!(found.etag), json!(format!("{late}").contains("Aborted")), json!(bulk.items.len())],
        "secret": secret.data,
        "configuration": configured.items.len(),
        "output binding": !created.data.is_empty(),
        "metadata": [&metadata.id, &metadata.extended_metadata["of"]],
        "jobs": format!("{:?}", jobs.code()),
    }))
}

fn invoked(verb: i32) -> rt::InvokeServiceRequest {
    let data = prost_types::Any { type_url: String::new(), value: b"ping".to_vec() };
    rt::InvokeServiceRequest {
        id: "sdk-app".into(),
        message: Some(InvokeRequest {
            method: "echo".into(),
            data: Some(data),
            content_type: "text/plain".into(),
            http_extension: Some(HttpExtension { verb, querystring: "n=1".into() }),
        }),
    }
}

async fn streamed(raw: &mut DaprClient<tonic::transport::Channel>) -> Result<Vec<String>, Failed> {
    use rt::subscribe_topic_events_request_alpha1::SubscribeTopicEventsRequestType as Asked;
    use rt::subscribe_topic_events_response_alpha1::SubscribeTopicEventsResponseType as Told;
    let (send, receive) = tokio::sync::mpsc::channel(8);
    let message = |one: Asked| rt::SubscribeTopicEventsRequestAlpha1 {
        subscribe_topic_events_request_type: Some(one),
    };
    let first = rt::SubscribeTopicEventsRequestInitialAlpha1 {
        pubsub_name: BROKER.into(),
        topic: "streamed".into(),
        ..Default::default()
    };
    send.send(message(Asked::InitialRequest(first))).await?;
    let mut events = raw
        .subscribe_topic_events_alpha1(tokio_stream::wrappers::ReceiverStream::new(receive))
        .await?
        .into_inner();
    let mut received = vec![];
    while let Some(event) = events.next().await {
        match event?.subscribe_topic_events_response_type {
            Some(Told::EventMessage(event)) => {
                received.push(String::from_utf8(event.data)?);
                let status = Some(TopicEventResponse { status: 0 });
                let processed =
                    rt::SubscribeTopicEventsRequestProcessedAlpha1 { id: event.id, status };
                send.send(message(Asked::EventProcessed(processed))).await?;
            }
            _ => publish(raw, "streamed", "0", &[]).await?,
        }
        if received.len() == 3 {
            break;
        }
        if !received.is_empty() {
            publish(raw, "streamed", &received.len().to_string(), &[]).await?;
        }
    }
    Ok(received)
}
