package main

// What the examples of Dapr's Go SDK do, in one program: an application over
// gRPC (or HTTP, with "http" as its second argument) and a client of its
// sidecar. It prints what it saw as JSON.

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	dapr "github.com/dapr/go-sdk/client"
	"github.com/dapr/go-sdk/service/common"
	grpcd "github.com/dapr/go-sdk/service/grpc"
	httpd "github.com/dapr/go-sdk/service/http"
)

const broker = "pubsub-redis"

var (
	lock sync.Mutex
	seen = map[string][]string{}
)

func keep(name, value string) {
	lock.Lock()
	defer lock.Unlock()
	seen[name] = append(seen[name], value)
}

func wait(name string, count int) []string {
	for i := 0; i < 400; i++ {
		lock.Lock()
		got := append([]string{}, seen[name]...)
		lock.Unlock()
		if len(got) >= count {
			sort.Strings(got)
			return got
		}
		time.Sleep(25 * time.Millisecond)
	}
	return nil
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func keeper(name string) func(context.Context, *common.TopicEvent) (bool, error) {
	return func(_ context.Context, e *common.TopicEvent) (bool, error) {
		keep(name, fmt.Sprintf("%s %s", e.Topic, e.RawData))
		return false, nil
	}
}

func serve(address string, overHTTP bool) {
	var s common.Service
	if overHTTP {
		s = httpd.NewService(address)
	} else {
		var err error
		s, err = grpcd.NewService(address)
		must(err)
	}
	must(s.AddServiceInvocationHandler("echo", func(_ context.Context, in *common.InvocationEvent) (*common.Content, error) {
		if in.Verb == "DELETE" {
			return nil, fmt.Errorf("no %s here", in.Verb)
		}
		text := fmt.Sprintf("%s %s %s", in.Verb, in.QueryString, in.Data)
		return &common.Content{Data: []byte(text), ContentType: in.ContentType, DataTypeURL: in.DataTypeURL}, nil
	}))
	// Over HTTP a binding is a route.
	must(s.AddBindingInvocationHandler("tick", func(context.Context, *common.BindingEvent) ([]byte, error) {
		keep("tick", "tick")
		return nil, nil
	}))
	plain := &common.Subscription{PubsubName: broker, Topic: "neworder", Route: "/orders"}
	must(s.AddTopicEventHandler(plain, keeper("orders")))
	important := &common.Subscription{PubsubName: broker, Topic: "neworder", Route: "/important", Match: `event.type == "important"`, Priority: 1}
	must(s.AddTopicEventHandler(important, keeper("important")))
	many := &common.Subscription{PubsubName: broker, Topic: "bulk", Route: "/bulk"}
	must(s.AddTopicEventHandler(many, keeper("bulk")))
	go func() { must(s.Start()) }()
}

func main() {
	serve("127.0.0.1:"+os.Args[1], len(os.Args) > 2 && os.Args[2] == "http")
	ctx := context.Background()
	client, err := dapr.NewClient()
	must(err)
	defer client.Close()
	must(client.Wait(ctx, 30*time.Second))
	told := map[string]any{}

	echoed := []string{}
	for _, verb := range []string{"get", "post", "put"} {
		content := &dapr.DataContent{ContentType: "text/plain", Data: []byte("ping")}
		answer, err := client.InvokeMethodWithContent(ctx, "sdk-app", "echo?n=1", verb, content)
		must(err)
		echoed = append(echoed, string(answer))
	}
	told["invoke"] = echoed
	_, err = client.InvokeMethod(ctx, "sdk-app", "echo", "delete")
	told["refused"] = err != nil && strings.Contains(err.Error(), "no DELETE here")

	must(client.PublishEvent(ctx, broker, "neworder", []byte("ping")))
	must(client.PublishEvent(ctx, broker, "neworder", []byte("pong"), dapr.PublishEventWithMetadata(map[string]string{"cloudevent.type": "important"})))
	told["topic"] = [][]string{wait("orders", 1), wait("important", 1)}
	answer := client.PublishEvents(ctx, broker, "bulk", []any{"multi-ping", map[string]int{"n": 1}})
	must(answer.Error)
	told["bulk"] = wait("bulk", 2)
	told["binding"] = len(wait("tick", 1)) > 0

	dead := "streamed-dead"
	stop, err := client.SubscribeWithHandler(ctx, dapr.SubscriptionOptions{PubsubName: broker, Topic: "sendorder", DeadLetterTopic: &dead},
		func(e *common.TopicEvent) common.SubscriptionResponseStatus {
			keep("sendorder", string(e.RawData))
			return common.SubscriptionResponseStatusSuccess
		})
	must(err)
	sub, err := client.Subscribe(ctx, dapr.SubscriptionOptions{PubsubName: broker, Topic: "streamed", DeadLetterTopic: &dead})
	must(err)
	must(client.PublishEvent(ctx, broker, "sendorder", []byte("ping")))
	received := []string{}
	for i := 0; i < 3; i++ {
		must(client.PublishEvent(ctx, broker, "streamed", []byte(fmt.Sprint(i))))
		msg, err := sub.Receive()
		must(err)
		received = append(received, string(msg.RawData))
		must(msg.Success())
	}
	told["streams"] = [][]string{wait("sendorder", 1), received}
	must(stop())
	must(sub.Close())

	store := "state-redis"
	must(client.SaveState(ctx, store, "go", []byte("hello"), nil))
	item, err := client.GetState(ctx, store, "go", nil)
	must(err)
	late := client.SaveStateWithETag(ctx, store, "go", []byte("x"), "999", nil, dapr.WithConcurrency(dapr.StateConcurrencyFirstWrite))
	must(client.ExecuteStateTransaction(ctx, store, nil, []*dapr.StateOperation{
		{Type: dapr.StateOperationTypeUpsert, Item: &dapr.SetStateItem{Key: "go2", Value: []byte("two")}},
		{Type: dapr.StateOperationTypeDelete, Item: &dapr.SetStateItem{Key: "go"}},
	}))
	items, err := client.GetBulkState(ctx, store, []string{"go", "go2"}, nil, 10)
	must(err)
	values := map[string]string{}
	for _, one := range items {
		values[one.Key] = string(one.Value)
	}
	told["state"] = []any{string(item.Value), late != nil, values}

	secret, err := client.GetSecret(ctx, "secret-envvars", "TEST_SECRET_1", nil)
	must(err)
	told["secret"] = secret
	metadata, err := client.GetMetadata(ctx)
	must(err)
	told["metadata"] = metadata.ID
	created, err := client.InvokeBinding(ctx, &dapr.InvokeBindingRequest{Name: "files", Operation: "create", Data: []byte("aGVsbG8="), Metadata: map[string]string{"fileName": "go.txt"}})
	must(err)
	told["output binding"] = len(created.Data) > 0
	configured, err := client.GetConfigurationItems(ctx, "config-redis", []string{"nothing"})
	must(err)
	told["configuration"] = len(configured)
	if len(os.Args) > 3 {
		got, err := client.TryLockAlpha1(ctx, "lock-redis", &dapr.LockRequest{LockOwner: "go", ResourceID: "thing", ExpiryInSeconds: 10})
		must(err)
		given, err := client.UnlockAlpha1(ctx, "lock-redis", &dapr.UnlockRequest{LockOwner: "go", ResourceID: "thing"})
		must(err)
		told["lock"] = []any{got.Success, given.Status}
	}
	text, err := json.Marshal(told)
	must(err)
	fmt.Println(string(text))
	must(client.Shutdown(ctx))
}
