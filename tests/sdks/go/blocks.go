package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"

	dapr "github.com/dapr/go-sdk/client"
	"google.golang.org/grpc/codes"
)

func binding(ctx context.Context, client dapr.Client) error {
	call := func(operation, data string) (*dapr.BindingEvent, error) {
		return client.InvokeBinding(ctx, &dapr.InvokeBindingRequest{
			Name: "files", Operation: operation, Data: []byte(data),
			Metadata: map[string]string{"fileName": "note.txt"},
		})
	}
	if _, err := call("create", "in a file"); err != nil {
		return err
	}
	read, err := call("get", "")
	if err != nil {
		return err
	}
	if err := same(string(read.Data), "in a file"); err != nil {
		return err
	}
	if _, err := call("delete", ""); err != nil {
		return err
	}
	_, err = call("get", "")
	return fails(err, codes.Internal)
}

func secret(ctx context.Context, client dapr.Client) error {
	known, err := client.GetSecret(ctx, "secrets", "known", nil)
	if err != nil {
		return err
	}
	every, err := client.GetBulkSecret(ctx, "secrets", nil)
	if err != nil {
		return err
	}
	_, absent := client.GetSecret(ctx, "secrets", "absent", nil)
	return first(
		same(known, map[string]string{"known": "s3cr3t"}),
		same(every, map[string]map[string]string{
			"known": {"known": "s3cr3t"}, "other": {"other": "hidden"},
		}),
		fails(absent, codes.Internal),
	)
}

func invoke(ctx context.Context, client dapr.Client) error {
	hello := &dapr.DataContent{ContentType: "text/plain", Data: []byte("hello")}
	answer, err := client.InvokeMethodWithContent(ctx, target, "echo", "post", hello)
	if err != nil {
		return err
	}
	return same(string(answer), "hello")
}

func lock(ctx context.Context, client dapr.Client) error {
	try := func(owner string) (bool, error) {
		request := dapr.LockRequest{ResourceID: "till", LockOwner: owner, ExpiryInSeconds: 60}
		answer, err := client.TryLockAlpha1(ctx, "lock", &request)
		return err == nil && answer.Success, err
	}
	unlock := func(owner, expected string) error {
		request := dapr.UnlockRequest{ResourceID: "till", LockOwner: owner}
		answer, err := client.UnlockAlpha1(ctx, "lock", &request)
		if err != nil {
			return err
		}
		return same(answer.Status, expected)
	}
	anna, errAnna := try("anna")
	bert, errBert := try("bert")
	return first(
		errAnna,
		errBert,
		same([]bool{anna, bert}, []bool{true, false}),
		unlock("bert", "LOCK_BELONGS_TO_OTHERS"),
		unlock("anna", "SUCCESS"),
		unlock("anna", "LOCK_DOES_NOT_EXIST"),
	)
}

func crypto(ctx context.Context, client dapr.Client) error {
	plain := bytes.Repeat([]byte("plain text "), 20_000)
	sealed, err := client.Encrypt(ctx, bytes.NewReader(plain), dapr.EncryptOptions{
		ComponentName: "crypto", KeyName: "aes", KeyWrapAlgorithm: "A256KW",
	})
	if err != nil {
		return err
	}
	opened, err := client.Decrypt(ctx, sealed, dapr.DecryptOptions{ComponentName: "crypto"})
	if err != nil {
		return err
	}
	whole, err := io.ReadAll(opened)
	if err != nil {
		return err
	}
	return same(bytes.Equal(whole, plain), true)
}

func metadata(ctx context.Context, client dapr.Client) error {
	if err := client.SetMetadata(ctx, "shelf", "3"); err != nil {
		return err
	}
	told, err := client.GetMetadata(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, component := range told.RegisteredComponents {
		names = append(names, component.Name)
	}
	for _, name := range []string{"statestore", "pubsub", "files", "secrets"} {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%s is not among %v", name, names)
		}
	}
	return same([]string{told.ID, told.ExtendedMetadata["shelf"]}, []string{app, "3"})
}
