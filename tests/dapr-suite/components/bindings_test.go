package components

import (
	"context"
	"regexp"
	"strings"
	"sync"

	"google.golang.org/grpc/status"

	"github.com/dapr/components-contrib/bindings"
	"github.com/dapr/components-contrib/metadata"
	rtv1 "github.com/dapr/dapr/pkg/proto/runtime/v1"
)

// binding is one component, as output and as input, as the API shows it.
type binding struct {
	*sidecar
	quiet
	reads bool
	// handler is called with what comes to the app, once it is there.
	handler      bindings.Handler
	handlerReady chan struct{}
	once         sync.Once
}

func newBinding(s *sidecar, reads bool) *binding {
	b := &binding{sidecar: s, reads: reads, handlerReady: make(chan struct{})}
	s.app = b
	return b
}

func (b *binding) GetComponentMetadata() metadata.MetadataMap { return nil }

func (b *binding) Close() error { return nil }

func (b *binding) Init(ctx context.Context, meta bindings.Metadata) error {
	return b.start(ctx, meta.Properties)
}

var supported = regexp.MustCompile(`supported operations:\[?([\w -]*)`)

// Operations asks for one that no binding has: the refusal names those that there are.
func (b *binding) Operations() []bindings.OperationKind {
	_, err := b.InvokeBinding(context.Background(), &rtv1.InvokeBindingRequest{Name: name, Operation: "no-such"})
	operations := []bindings.OperationKind{}
	found := supported.FindStringSubmatch(status.Convert(err).Message())
	if found == nil {
		b.t.Errorf("the refusal of an operation names none: %v", err)
		return operations
	}
	for _, one := range strings.Fields(found[1]) {
		operations = append(operations, bindings.OperationKind(one))
	}
	return operations
}

func (b *binding) Invoke(ctx context.Context, req *bindings.InvokeRequest) (*bindings.InvokeResponse, error) {
	res, err := b.InvokeBinding(ctx, &rtv1.InvokeBindingRequest{
		Name: name, Operation: string(req.Operation), Data: req.Data, Metadata: req.Metadata,
	})
	if err != nil {
		return nil, err
	}
	return &bindings.InvokeResponse{Data: orNil(res.GetData()), Metadata: res.GetMetadata()}, nil
}

func (b *binding) Read(_ context.Context, handler bindings.Handler) error {
	b.once.Do(func() {
		b.handler = handler
		close(b.handlerReady)
	})
	return nil
}

func (b *binding) inputs() []string {
	if b.reads {
		return []string{name}
	}
	return nil
}

func (b *binding) onBinding(ctx context.Context, event *rtv1.BindingEventRequest) (*rtv1.BindingEventResponse, error) {
	<-b.handlerReady
	data, err := b.handler(ctx, &bindings.ReadResponse{Data: event.GetData(), Metadata: event.GetMetadata()})
	return &rtv1.BindingEventResponse{Data: data}, err
}
