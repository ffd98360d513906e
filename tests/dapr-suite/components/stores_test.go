package components

import (
	"context"
	"errors"

	"github.com/dapr/components-contrib/configuration"
	"github.com/dapr/components-contrib/lock"
	"github.com/dapr/components-contrib/metadata"
	"github.com/dapr/components-contrib/secretstores"
	commonv1 "github.com/dapr/dapr/pkg/proto/common/v1"
	rtv1 "github.com/dapr/dapr/pkg/proto/runtime/v1"
)

// lockStore is a lock store as the API shows it.
type lockStore struct{ *sidecar }

func (l lockStore) GetComponentMetadata() metadata.MetadataMap { return nil }

func (l lockStore) Close() error { return nil }

func (l lockStore) InitLockStore(ctx context.Context, meta lock.Metadata) error {
	return l.start(ctx, meta.Properties)
}

func (l lockStore) TryLock(ctx context.Context, req *lock.TryLockRequest) (*lock.TryLockResponse, error) {
	res, err := l.TryLockAlpha1(ctx, &rtv1.TryLockRequest{
		StoreName: name, ResourceId: req.ResourceID, LockOwner: req.LockOwner, ExpiryInSeconds: req.ExpiryInSeconds,
	})
	return &lock.TryLockResponse{Success: res.GetSuccess()}, err
}

func (l lockStore) Unlock(ctx context.Context, req *lock.UnlockRequest) (*lock.UnlockResponse, error) {
	res, err := l.UnlockAlpha1(ctx, &rtv1.UnlockRequest{StoreName: name, ResourceId: req.ResourceID, LockOwner: req.LockOwner})
	return &lock.UnlockResponse{Status: lock.Status(res.GetStatus())}, err
}

// secretStore is a secret store as the API shows it.
type secretStore struct{ *sidecar }

func (s secretStore) GetComponentMetadata() metadata.MetadataMap { return nil }

func (s secretStore) Close() error { return nil }

func (s secretStore) Features() []secretstores.Feature { return nil }

func (s secretStore) Init(ctx context.Context, meta secretstores.Metadata) error {
	return s.start(ctx, meta.Properties)
}

func (s secretStore) GetSecret(ctx context.Context, req secretstores.GetSecretRequest) (secretstores.GetSecretResponse, error) {
	res, err := s.DaprClient.GetSecret(ctx, &rtv1.GetSecretRequest{StoreName: name, Key: req.Name, Metadata: req.Metadata})
	return secretstores.GetSecretResponse{Data: res.GetData()}, err
}

func (s secretStore) BulkGetSecret(ctx context.Context, req secretstores.BulkGetSecretRequest) (secretstores.BulkGetSecretResponse, error) {
	res, err := s.GetBulkSecret(ctx, &rtv1.GetBulkSecretRequest{StoreName: name, Metadata: req.Metadata})
	data := map[string]map[string]string{}
	for key, one := range res.GetData() {
		data[key] = one.GetSecrets()
	}
	return secretstores.BulkGetSecretResponse{Data: data}, err
}

// configurationStore is a configuration store as the API shows it.
type configurationStore struct{ *sidecar }

func (c configurationStore) GetComponentMetadata() metadata.MetadataMap { return nil }

func (c configurationStore) Close() error { return nil }

func (c configurationStore) Init(ctx context.Context, meta configuration.Metadata) error {
	return c.start(ctx, meta.Properties)
}

func (c configurationStore) Get(ctx context.Context, req *configuration.GetRequest) (*configuration.GetResponse, error) {
	res, err := c.GetConfiguration(ctx, &rtv1.GetConfigurationRequest{StoreName: name, Keys: req.Keys, Metadata: req.Metadata})
	return &configuration.GetResponse{Items: itemsOf(res.GetItems())}, err
}

// Subscribe opens a stream that stays as long as the sidecar: the store ends it where it is told to.
func (c configurationStore) Subscribe(_ context.Context, req *configuration.SubscribeRequest, handler configuration.UpdateHandler) (string, error) {
	ctx := c.t.Context()
	stream, err := c.SubscribeConfiguration(ctx, &rtv1.SubscribeConfigurationRequest{StoreName: name, Keys: req.Keys, Metadata: req.Metadata})
	if err != nil {
		return "", err
	}
	first, err := stream.Recv()
	if err != nil {
		return "", err
	}
	go func() {
		for {
			res, err := stream.Recv()
			if err != nil {
				return
			}
			_ = handler(ctx, &configuration.UpdateEvent{ID: res.GetId(), Items: itemsOf(res.GetItems())})
		}
	}()
	return first.GetId(), nil
}

func (c configurationStore) Unsubscribe(ctx context.Context, req *configuration.UnsubscribeRequest) error {
	res, err := c.UnsubscribeConfiguration(ctx, &rtv1.UnsubscribeConfigurationRequest{StoreName: name, Id: req.ID})
	if err == nil && !res.GetOk() {
		return errors.New(res.GetMessage())
	}
	return err
}

func itemsOf(items map[string]*commonv1.ConfigurationItem) map[string]*configuration.Item {
	all := map[string]*configuration.Item{}
	for key, one := range items {
		meta := one.GetMetadata()
		// The API does not tell no metadata from none given.
		if meta == nil {
			meta = map[string]string{}
		}
		all[key] = &configuration.Item{Value: one.GetValue(), Version: one.GetVersion(), Metadata: meta}
	}
	return all
}
