package main

import (
	"context"

	"go.opencensus.io/stats/view"

	"github.com/dapr/dapr/cmd/daprd/options"
	"github.com/dapr/dapr/pkg/healthz"
	"github.com/dapr/dapr/pkg/metrics"
	"github.com/dapr/dapr/pkg/modes"
	"github.com/dapr/dapr/pkg/runtime"
	"github.com/dapr/dapr/pkg/security"
	"github.com/dapr/kit/concurrency"
	"github.com/dapr/kit/logger"
)

// sidecar holds what the identity provider and the runtime share.
type sidecar struct {
	flags    *options.Options
	health   healthz.Healthz
	identity security.Provider
}

func newSidecar(ctx context.Context, flags *options.Options) (*sidecar, error) {
	health := healthz.New()
	// Needed without mTLS too: the runtime asks it for its (then plain) transport.
	identity, err := security.New(ctx, security.Options{
		AppID:       flags.AppID,
		Mode:        modes.DaprMode(flags.Mode),
		MTLSEnabled: flags.EnableMTLS,
		Healthz:     health,

		SentryAddress: flags.SentryAddress,
		TrustAnchors:  flags.TrustAnchors,
		JwtAudiences:  flags.SentryRequestJwtAudiences,

		ControlPlaneNamespace:   flags.ControlPlaneNamespace,
		ControlPlaneTrustDomain: flags.ControlPlaneTrustDomain,
	})
	if err != nil {
		return nil, err
	}
	return &sidecar{flags: flags, health: health, identity: identity}, nil
}

func (s *sidecar) run(ctx context.Context) error {
	return concurrency.NewRunnerManager(s.identity.Run, s.runRuntime).Run(ctx)
}

func (s *sidecar) runRuntime(ctx context.Context) error {
	// Blocks until the identity is there, hence inside the runner and not before it.
	handler, err := s.identity.Handler(ctx)
	if err != nil {
		return err
	}

	cfg := runtimeConfig(s.flags)
	cfg.Security = handler
	cfg.Healthz = s.health
	cfg.Registry = components()
	cfg.Metrics = s.metrics()

	rt, err := runtime.FromConfig(ctx, cfg)
	if err != nil {
		return err
	}
	return rt.Run(ctx)
}

func (s *sidecar) metrics() metrics.Options {
	return metrics.Options{
		Enabled:       s.flags.Metrics.Enabled(),
		ListenAddress: s.flags.Metrics.ListenAddress(),
		Port:          s.flags.Metrics.Port(),
		Namespace:     metrics.DefaultMetricNamespace,
		Meter:         view.NewMeter(),
		Healthz:       s.health,
		Log:           logger.NewLogger("trilby.daprd.metrics"),
	}
}
