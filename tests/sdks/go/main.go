// Every building block through Dapr's SDK for Go, against whatever serves Dapr's API.
//
// The port and the token come from the SDK's own variables, the app to call from TARGET_APP. One
// line for each check; the first surprise ends the program.
package main

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"time"

	dapr "github.com/dapr/go-sdk/client"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// patience bounds a wait for what must come.
const patience = 20 * time.Second

var (
	app    = os.Getenv("APP_ID")
	target = os.Getenv("TARGET_APP")
)

var checks = []struct {
	name string
	run  func(context.Context, dapr.Client) error
}{
	{"state", state},
	{"state_conflicts", stateConflicts},
	{"state_bulk", stateBulk},
	{"state_transaction", stateTransaction},
	{"publish_and_subscribe", publishAndSubscribe},
	{"subscribe_again", subscribeAgain},
	{"binding", binding},
	{"secret", secret},
	{"configuration", configuration},
	{"invoke", invoke},
	{"lock", lock},
	{"jobs", jobs},
	{"crypto", crypto},
	{"metadata", metadata},
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	client, err := dapr.NewClient()
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Wait(ctx, patience); err != nil {
		return err
	}
	for _, check := range checks {
		if err := check.run(ctx, client); err != nil {
			return fmt.Errorf("%s: %w", check.name, err)
		}
		fmt.Println("ok", check.name)
	}
	return nil
}

// same is an error unless both are equal.
func same[T any](actual, expected T) error {
	if !reflect.DeepEqual(actual, expected) {
		return fmt.Errorf("%+v where %+v was expected", actual, expected)
	}
	return nil
}

// fails is an error unless err has this code.
func fails(err error, code codes.Code) error {
	if status.Code(err) != code {
		return fmt.Errorf("%v where %v was expected", err, code)
	}
	return nil
}

// first is the first of some errors.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
