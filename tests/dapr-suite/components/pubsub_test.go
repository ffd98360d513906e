package components

import (
	"context"
	"errors"
	"sync"

	"github.com/dapr/components-contrib/metadata"
	"github.com/dapr/components-contrib/pubsub"
	confpubsub "github.com/dapr/components-contrib/tests/conformance/pubsub"
	rtv1 "github.com/dapr/dapr/pkg/proto/runtime/v1"
)

const plainText = "text/plain"

// broker is a pub/sub component as the API shows it: topics are subscribed to by streams, that for bulks as the app's.
type broker struct {
	*sidecar
	quiet
	config confpubsub.TestConfig
	// bulk is called with what comes to the app, once it is there.
	bulk      pubsub.BulkHandler
	bulkReady chan struct{}
	once      sync.Once
}

func newBroker(s *sidecar, config confpubsub.TestConfig) *broker {
	b := &broker{sidecar: s, config: config, bulkReady: make(chan struct{})}
	s.app = b
	return b
}

func (b *broker) GetComponentMetadata() metadata.MetadataMap { return nil }

func (b *broker) Close() error { return nil }

func (b *broker) Init(ctx context.Context, meta pubsub.Metadata) error {
	return b.start(ctx, meta.Properties)
}

func (b *broker) Features() []pubsub.Feature {
	features := []pubsub.Feature{}
	for _, one := range b.capabilities() {
		features = append(features, pubsub.Feature(one))
	}
	return features
}

func (b *broker) Publish(ctx context.Context, req *pubsub.PublishRequest) error {
	_, err := b.PublishEvent(ctx, &rtv1.PublishEventRequest{
		PubsubName: name, Topic: req.Topic, Data: req.Data, DataContentType: plainText, Metadata: req.Metadata,
	})
	return err
}

func (b *broker) BulkPublish(ctx context.Context, req *pubsub.BulkPublishRequest) (pubsub.BulkPublishResponse, error) {
	entries := make([]*rtv1.BulkPublishRequestEntry, len(req.Entries))
	for i, one := range req.Entries {
		entries[i] = &rtv1.BulkPublishRequestEntry{
			EntryId: one.EntryId, Event: one.Event, ContentType: one.ContentType, Metadata: one.Metadata,
		}
	}
	res, err := b.BulkPublishEvent(ctx, &rtv1.BulkPublishRequest{
		PubsubName: name, Topic: req.Topic, Entries: entries, Metadata: req.Metadata,
	})
	failed := []pubsub.BulkPublishResponseFailedEntry{}
	for _, one := range res.GetFailedEntries() {
		failed = append(failed, pubsub.BulkPublishResponseFailedEntry{EntryId: one.GetEntryId(), Error: errors.New(one.GetError())})
	}
	return pubsub.BulkPublishResponse{FailedEntries: failed}, err
}

// Subscribe opens a stream, which ends with the context.
func (b *broker) Subscribe(ctx context.Context, req pubsub.SubscribeRequest, handler pubsub.Handler) error {
	stream, err := b.SubscribeTopicEventsAlpha1(ctx)
	if err != nil {
		return err
	}
	err = stream.Send(&rtv1.SubscribeTopicEventsRequestAlpha1{
		SubscribeTopicEventsRequestType: &rtv1.SubscribeTopicEventsRequestAlpha1_InitialRequest{
			InitialRequest: &rtv1.SubscribeTopicEventsRequestInitialAlpha1{
				PubsubName: name, Topic: req.Topic, Metadata: req.Metadata,
			},
		},
	})
	if err != nil {
		return err
	}
	// The first answer says that it is subscribed.
	if _, err := stream.Recv(); err != nil {
		return err
	}
	go func() {
		for {
			res, err := stream.Recv()
			if err != nil {
				return
			}
			event := res.GetEventMessage()
			err = handler(ctx, &pubsub.NewMessage{Topic: event.GetTopic(), Data: event.GetData()})
			_ = stream.Send(&rtv1.SubscribeTopicEventsRequestAlpha1{
				SubscribeTopicEventsRequestType: &rtv1.SubscribeTopicEventsRequestAlpha1_EventProcessed{
					EventProcessed: &rtv1.SubscribeTopicEventsRequestProcessedAlpha1{
						Id: event.GetId(), Status: &rtv1.TopicEventResponse{Status: statusOf(err)},
					},
				},
			})
		}
	}()
	return nil
}

// BulkSubscribe hands on what the app has been subscribed to from the start: no stream takes bulks.
func (b *broker) BulkSubscribe(_ context.Context, _ pubsub.SubscribeRequest, handler pubsub.BulkHandler) error {
	b.once.Do(func() {
		b.bulk = handler
		close(b.bulkReady)
	})
	return nil
}

func (b *broker) topics() []*rtv1.TopicSubscription {
	if !b.config.HasOperation("bulksubscribe") {
		return nil
	}
	return []*rtv1.TopicSubscription{{
		PubsubName: name, Topic: b.config.TestTopicForBulkSub, Metadata: b.config.BulkSubscribeMetadata,
		Routes: &rtv1.TopicRoutes{Default: "/bulk"},
		// What the suite asks for in its call.
		BulkSubscribe: &rtv1.BulkSubscribeConfig{Enabled: true, MaxMessagesCount: 5, MaxAwaitDurationMs: 500},
	}}
}

func (b *broker) onBulk(ctx context.Context, events *rtv1.TopicEventBulkRequest) (*rtv1.TopicEventBulkResponse, error) {
	<-b.bulkReady
	message := &pubsub.BulkMessage{Topic: events.GetTopic(), Metadata: events.GetMetadata()}
	for _, one := range events.GetEntries() {
		data := one.GetBytes()
		if event := one.GetCloudEvent(); event != nil {
			data = event.GetData()
		}
		message.Entries = append(message.Entries, pubsub.BulkMessageEntry{
			EntryId: one.GetEntryId(), Event: data, ContentType: one.GetContentType(), Metadata: one.GetMetadata(),
		})
	}
	entries, err := b.bulk(ctx, message)
	if entries == nil && err != nil {
		return nil, err
	}
	statuses := make([]*rtv1.TopicEventBulkResponseEntry, len(entries))
	for i, one := range entries {
		statuses[i] = &rtv1.TopicEventBulkResponseEntry{EntryId: one.EntryId, Status: statusOf(one.Error)}
	}
	return &rtv1.TopicEventBulkResponse{Statuses: statuses}, nil
}

func statusOf(err error) rtv1.TopicEventResponse_TopicEventResponseStatus {
	if err != nil {
		return rtv1.TopicEventResponse_RETRY
	}
	return rtv1.TopicEventResponse_SUCCESS
}
