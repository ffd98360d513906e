package components

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	rtv1 "github.com/dapr/dapr/pkg/proto/runtime/v1"
)

// callbacks is what a component has its app asked.
type callbacks interface {
	topics() []*rtv1.TopicSubscription
	inputs() []string
	onBulk(context.Context, *rtv1.TopicEventBulkRequest) (*rtv1.TopicEventBulkResponse, error)
	onBinding(context.Context, *rtv1.BindingEventRequest) (*rtv1.BindingEventResponse, error)
}

// quiet is an app that wants nothing; those that want something embed it.
type quiet struct{}

func (quiet) topics() []*rtv1.TopicSubscription { return nil }

func (quiet) inputs() []string { return nil }

func (quiet) onBulk(context.Context, *rtv1.TopicEventBulkRequest) (*rtv1.TopicEventBulkResponse, error) {
	return &rtv1.TopicEventBulkResponse{}, nil
}

func (quiet) onBinding(context.Context, *rtv1.BindingEventRequest) (*rtv1.BindingEventResponse, error) {
	return &rtv1.BindingEventResponse{}, nil
}

// appServer is such an app as a gRPC service.
type appServer struct {
	rtv1.UnimplementedAppCallbackServer
	rtv1.UnimplementedAppCallbackAlphaServer
	callbacks
}

func (a *appServer) ListTopicSubscriptions(context.Context, *emptypb.Empty) (*rtv1.ListTopicSubscriptionsResponse, error) {
	return &rtv1.ListTopicSubscriptionsResponse{Subscriptions: a.topics()}, nil
}

func (a *appServer) ListInputBindings(context.Context, *emptypb.Empty) (*rtv1.ListInputBindingsResponse, error) {
	return &rtv1.ListInputBindingsResponse{Bindings: a.inputs()}, nil
}

func (a *appServer) OnBindingEvent(ctx context.Context, event *rtv1.BindingEventRequest) (*rtv1.BindingEventResponse, error) {
	return a.onBinding(ctx, event)
}

func (a *appServer) OnBulkTopicEvent(ctx context.Context, events *rtv1.TopicEventBulkRequest) (*rtv1.TopicEventBulkResponse, error) {
	return a.onBulk(ctx, events)
}

func (a *appServer) OnBulkTopicEventAlpha1(ctx context.Context, events *rtv1.TopicEventBulkRequest) (*rtv1.TopicEventBulkResponse, error) {
	return a.onBulk(ctx, events)
}
