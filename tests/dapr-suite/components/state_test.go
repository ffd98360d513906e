package components

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dapr/components-contrib/metadata"
	"github.com/dapr/components-contrib/state"
	commonv1 "github.com/dapr/dapr/pkg/proto/common/v1"
	rtv1 "github.com/dapr/dapr/pkg/proto/runtime/v1"
)

// stateStore is a state store as the API shows it.
type stateStore struct{ *sidecar }

func (s stateStore) GetComponentMetadata() metadata.MetadataMap { return nil }

func (s stateStore) Close() error { return nil }

func (s stateStore) Init(ctx context.Context, meta state.Metadata) error {
	return s.start(ctx, meta.Properties)
}

// Features leaves out what no call of the API reaches.
func (s stateStore) Features() []state.Feature {
	features := []state.Feature{}
	for _, one := range s.capabilities() {
		feature := state.Feature(one)
		if feature != state.FeatureDeleteWithPrefix && feature != state.FeatureKeysLike {
			features = append(features, feature)
		}
	}
	return features
}

func (s stateStore) Get(ctx context.Context, req *state.GetRequest) (*state.GetResponse, error) {
	res, err := s.GetState(ctx, &rtv1.GetStateRequest{StoreName: name, Key: req.Key, Metadata: req.Metadata})
	if err != nil {
		return nil, err
	}
	return &state.GetResponse{Data: orNil(res.GetData()), ETag: etagOf(res.GetEtag()), Metadata: res.GetMetadata()}, nil
}

func (s stateStore) Set(ctx context.Context, req *state.SetRequest) error {
	item, err := itemToSet(*req)
	if err != nil {
		return err
	}
	_, err = s.SaveState(ctx, &rtv1.SaveStateRequest{StoreName: name, States: []*commonv1.StateItem{item}})
	return etagError(err)
}

func (s stateStore) Delete(ctx context.Context, req *state.DeleteRequest) error {
	item := itemToDelete(*req)
	_, err := s.DeleteState(ctx, &rtv1.DeleteStateRequest{
		StoreName: name, Key: item.Key, Etag: item.Etag, Options: item.Options, Metadata: item.Metadata,
	})
	return etagError(err)
}

func (s stateStore) BulkGet(ctx context.Context, req []state.GetRequest, opts state.BulkGetOpts) ([]state.BulkGetResponse, error) {
	keys := make([]string, len(req))
	for i, one := range req {
		keys[i] = one.Key
	}
	res, err := s.GetBulkState(ctx, &rtv1.GetBulkStateRequest{StoreName: name, Keys: keys, Parallelism: int32(opts.Parallelism)})
	if err != nil {
		return nil, err
	}
	items := make([]state.BulkGetResponse, len(res.GetItems()))
	for i, one := range res.GetItems() {
		items[i] = state.BulkGetResponse{
			Key: one.GetKey(), Data: orNil(one.GetData()), ETag: etagOf(one.GetEtag()), Metadata: one.GetMetadata(), Error: one.GetError(),
		}
	}
	return items, nil
}

func (s stateStore) BulkSet(ctx context.Context, req []state.SetRequest, _ state.BulkStoreOpts) error {
	items := make([]*commonv1.StateItem, len(req))
	for i, one := range req {
		var err error
		if items[i], err = itemToSet(one); err != nil {
			return err
		}
	}
	_, err := s.SaveState(ctx, &rtv1.SaveStateRequest{StoreName: name, States: items})
	return s.perItem(ctx, etagError(err), items)
}

func (s stateStore) BulkDelete(ctx context.Context, req []state.DeleteRequest, _ state.BulkStoreOpts) error {
	items := make([]*commonv1.StateItem, len(req))
	for i, one := range req {
		items[i] = itemToDelete(one)
	}
	_, err := s.DeleteBulkState(ctx, &rtv1.DeleteBulkStateRequest{StoreName: name, States: items})
	return s.perItem(ctx, etagError(err), items)
}

// perItem has an error of a whole request be one of each item that is not as the request asked: the API does not name them.
func (s stateStore) perItem(ctx context.Context, failed error, items []*commonv1.StateItem) error {
	if failed == nil {
		return nil
	}
	errs := []error{}
	for _, item := range items {
		now, err := s.Get(ctx, &state.GetRequest{Key: item.Key})
		if err != nil {
			return err
		}
		if !bytes.Equal(now.Data, item.Value) {
			errs = append(errs, state.NewBulkStoreError(item.Key, failed))
		}
	}
	return errors.Join(errs...)
}

func (s stateStore) Multi(ctx context.Context, req *state.TransactionalStateRequest) error {
	operations := make([]*rtv1.TransactionalStateOperation, len(req.Operations))
	for i, one := range req.Operations {
		operation := &rtv1.TransactionalStateOperation{OperationType: string(one.Operation())}
		var err error
		switch change := one.(type) {
		case state.SetRequest:
			operation.Request, err = itemToSet(change)
		case state.DeleteRequest:
			operation.Request = itemToDelete(change)
		default:
			err = fmt.Errorf("no operation of the API: %T", one)
		}
		if err != nil {
			return err
		}
		operations[i] = operation
	}
	_, err := s.ExecuteStateTransaction(ctx, &rtv1.ExecuteStateTransactionRequest{
		StoreName: name, Operations: operations, Metadata: req.Metadata,
	})
	return etagError(err)
}

func (s stateStore) Query(ctx context.Context, req *state.QueryRequest) (*state.QueryResponse, error) {
	text, err := json.Marshal(req.Query.QueryFields)
	if err != nil {
		return nil, err
	}
	res, err := s.QueryStateAlpha1(ctx, &rtv1.QueryStateRequest{StoreName: name, Query: string(text), Metadata: req.Metadata})
	if err != nil {
		return nil, err
	}
	results := make([]state.QueryItem, len(res.GetResults()))
	for i, one := range res.GetResults() {
		results[i] = state.QueryItem{Key: one.GetKey(), Data: one.GetData(), ETag: etagOf(one.GetEtag()), Error: one.GetError()}
	}
	return &state.QueryResponse{Results: results, Token: res.GetToken(), Metadata: res.GetMetadata()}, nil
}

// itemToSet gives bytes as they are and everything else as JSON, as the runtime does.
func itemToSet(req state.SetRequest) (*commonv1.StateItem, error) {
	value, ok := req.Value.([]byte)
	if !ok {
		var err error
		if value, err = json.Marshal(req.Value); err != nil {
			return nil, err
		}
	}
	return &commonv1.StateItem{
		Key: req.Key, Value: value, Etag: etagTo(req.ETag), Metadata: req.Metadata,
		Options: optionsTo(req.Options.Concurrency, req.Options.Consistency),
	}, nil
}

func itemToDelete(req state.DeleteRequest) *commonv1.StateItem {
	return &commonv1.StateItem{
		Key: req.Key, Etag: etagTo(req.ETag), Metadata: req.Metadata,
		Options: optionsTo(req.Options.Concurrency, req.Options.Consistency),
	}
}

func optionsTo(concurrency, consistency string) *commonv1.StateOptions {
	options := &commonv1.StateOptions{}
	switch concurrency {
	case state.FirstWrite:
		options.Concurrency = commonv1.StateOptions_CONCURRENCY_FIRST_WRITE
	case state.LastWrite:
		options.Concurrency = commonv1.StateOptions_CONCURRENCY_LAST_WRITE
	}
	switch consistency {
	case state.Strong:
		options.Consistency = commonv1.StateOptions_CONSISTENCY_STRONG
	case state.Eventual:
		options.Consistency = commonv1.StateOptions_CONSISTENCY_EVENTUAL
	}
	return options
}

func etagTo(etag *string) *commonv1.Etag {
	if etag == nil {
		return nil
	}
	return &commonv1.Etag{Value: *etag}
}

func etagOf(etag string) *string {
	if etag == "" {
		return nil
	}
	return &etag
}

// orNil: the API says empty where a store says nothing.
func orNil(data []byte) []byte {
	if len(data) == 0 {
		return nil
	}
	return data
}

// etagError reads from the code of an answer which error of a store it was.
func etagError(err error) error {
	switch status.Code(err) {
	case codes.Aborted:
		return state.NewETagError(state.ETagMismatch, err)
	case codes.InvalidArgument:
		return state.NewETagError(state.ETagInvalid, err)
	default:
		return err
	}
}
