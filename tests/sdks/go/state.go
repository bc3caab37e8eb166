package main

import (
	"context"

	dapr "github.com/dapr/go-sdk/client"
	"google.golang.org/grpc/codes"
)

func value(ctx context.Context, client dapr.Client, key, expected string) error {
	item, err := client.GetState(ctx, "statestore", key, nil)
	if err != nil {
		return err
	}
	return same(string(item.Value), expected)
}

func state(ctx context.Context, client dapr.Client) error {
	if err := client.SaveState(ctx, "statestore", "order", []byte(`{"id":1}`), nil); err != nil {
		return err
	}
	order, err := client.GetState(ctx, "statestore", "order", nil)
	if err != nil {
		return err
	}
	return first(
		same(string(order.Value), `{"id":1}`),
		client.SaveStateWithETag(ctx, "statestore", "order", []byte("\x00\xff"), order.Etag, nil),
		value(ctx, client, "order", "\x00\xff"),
		client.DeleteState(ctx, "statestore", "order", nil),
		value(ctx, client, "order", ""),
	)
}

func stateConflicts(ctx context.Context, client dapr.Client) error {
	if err := client.SaveState(ctx, "statestore", "once", []byte("1"), nil); err != nil {
		return err
	}
	item, err := client.GetState(ctx, "statestore", "once", nil)
	if err != nil {
		return err
	}
	save := func(value string) error {
		return client.SaveStateWithETag(ctx, "statestore", "once", []byte(value), item.Etag, nil)
	}
	if err := save("2"); err != nil {
		return err
	}
	stale := &dapr.ETag{Value: item.Etag}
	anew := dapr.WithConcurrency(dapr.StateConcurrencyFirstWrite)
	_, unknown := client.GetState(ctx, "nowhere", "k", nil)
	return first(
		fails(save("3"), codes.Aborted),
		fails(client.DeleteStateWithETag(ctx, "statestore", "once", stale, nil, nil), codes.Aborted),
		fails(client.SaveState(ctx, "statestore", "once", []byte("4"), nil, anew), codes.Aborted),
		value(ctx, client, "once", "2"),
		fails(unknown, codes.InvalidArgument),
	)
}

func stateBulk(ctx context.Context, client dapr.Client) error {
	err := client.SaveBulkState(ctx, "statestore",
		&dapr.SetStateItem{Key: "a", Value: []byte("A")},
		&dapr.SetStateItem{Key: "b", Value: []byte("B")},
		&dapr.SetStateItem{Key: "c", Value: []byte("C")})
	if err != nil {
		return err
	}
	items, err := client.GetBulkState(ctx, "statestore", []string{"a", "c", "missing"}, nil, 10)
	if err != nil {
		return err
	}
	found := map[string]string{}
	for _, item := range items {
		found[item.Key] = string(item.Value)
	}
	if err := same(found, map[string]string{"a": "A", "c": "C", "missing": ""}); err != nil {
		return err
	}
	return first(
		client.DeleteBulkState(ctx, "statestore", []string{"c", "missing"}, nil),
		value(ctx, client, "c", ""),
	)
}

func stateTransaction(ctx context.Context, client dapr.Client) error {
	upsert := func(key, value, etag string) *dapr.StateOperation {
		item := &dapr.SetStateItem{Key: key, Value: []byte(value)}
		if etag != "" {
			item.Etag = &dapr.ETag{Value: etag}
		}
		return &dapr.StateOperation{Type: dapr.StateOperationTypeUpsert, Item: item}
	}
	remove := &dapr.StateOperation{
		Type: dapr.StateOperationTypeDelete, Item: &dapr.SetStateItem{Key: "b"},
	}
	good := []*dapr.StateOperation{upsert("a", "new", ""), remove}
	bad := []*dapr.StateOperation{upsert("b", "lost", ""), upsert("a", "lost", "stale")}
	return first(
		client.ExecuteStateTransaction(ctx, "statestore", nil, good),
		fails(client.ExecuteStateTransaction(ctx, "statestore", nil, bad), codes.Internal),
		value(ctx, client, "a", "new"),
		value(ctx, client, "b", ""),
	)
}
