// Command daprd is the real Dapr runtime with only the components that Trilby's tests use.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/dapr/dapr/cmd/daprd/options"
	"github.com/dapr/dapr/pkg/buildinfo"
	"github.com/dapr/dapr/pkg/runtime"
	"github.com/dapr/kit/logger"
	"github.com/dapr/kit/signals"
)

func main() {
	if err := start(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "daprd:", err)
		os.Exit(1)
	}
}

// start answers the flags that end at once, and else serves until a signal or the shutdown API.
//
// Unlike the released daprd it has no restart on SIGHUP: a test starts a new process instead.
func start(args []string) error {
	flags, err := options.New(args)
	if err != nil {
		return fmt.Errorf("reading the flags: %w", err)
	}

	switch {
	case flags.RuntimeVersion:
		fmt.Println(buildinfo.Version())
		return nil
	case flags.BuildInfo:
		fmt.Println(buildinfo.Version(), buildinfo.Commit(), buildinfo.GitVersion())
		return nil
	case flags.WaitCommand:
		runtime.WaitUntilDaprOutboundReady(flags.DaprHTTPPort)
		return nil
	}

	// Loggers are package globals that exist by now, so the wished level and format are set on all of them at once.
	flags.Logger.SetAppID(flags.AppID)
	if err := logger.ApplyOptionsToLoggers(&flags.Logger); err != nil {
		return fmt.Errorf("setting up the log: %w", err)
	}

	// The context comes from dapr's own signal handling, which lets a second signal end a hanging shutdown.
	return serve(signals.Context(), flags)
}

// serve runs the identity provider beside the runtime; when either ends, so does the other.
func serve(ctx context.Context, flags *options.Options) error {
	s, err := newSidecar(ctx, flags)
	if err != nil {
		return fmt.Errorf("setting up security: %w", err)
	}
	return s.run(ctx)
}
