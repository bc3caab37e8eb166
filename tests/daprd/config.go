package main

import (
	"github.com/dapr/dapr/cmd/daprd/options"
	"github.com/dapr/dapr/pkg/runtime"
)

// runtimeConfig carries every flag over, grouped by concern, so that none is accepted and then ignored.
func runtimeConfig(f *options.Options) *runtime.Config {
	cfg := &runtime.Config{AppID: f.AppID, Mode: f.Mode, Config: f.Config}
	setAPI(cfg, f)
	setApp(cfg, f)
	setResources(cfg, f)
	setControlPlane(cfg, f)
	setLifetime(cfg, f)
	return cfg
}

// setAPI says where Dapr's own endpoints listen and what they take.
func setAPI(cfg *runtime.Config, f *options.Options) {
	cfg.DaprAPIListenAddresses = f.DaprAPIListenAddresses
	cfg.DaprHTTPPort = f.DaprHTTPPort
	cfg.DaprAPIGRPCPort = f.DaprAPIGRPCPort
	cfg.UnixDomainSocket = f.UnixDomainSocket
	cfg.DaprInternalGRPCListenAddress = f.DaprInternalGRPCListenAddress
	cfg.DaprInternalGRPCPort = f.DaprInternalGRPCPort
	cfg.DaprPublicListenAddress = f.DaprPublicListenAddress
	cfg.DaprPublicPort = f.DaprPublicPort
	cfg.AllowedOrigins = f.AllowedOrigins
	cfg.MaxRequestSize = f.MaxRequestSize
	cfg.ReadBufferSize = f.ReadBufferSize
	cfg.EnableAPILogging = f.EnableAPILogging
	cfg.EnableProfiling = f.EnableProfiling
	cfg.ProfilePort = f.ProfilePort
}

// setApp says how the application is reached and watched.
func setApp(cfg *runtime.Config, f *options.Options) {
	cfg.ApplicationPort = f.AppPort
	cfg.AppProtocol = f.AppProtocol
	cfg.AppSSL = f.AppSSL
	cfg.AppChannelAddress = f.AppChannelAddress
	cfg.AppMaxConcurrency = f.AppMaxConcurrency
	cfg.AppBindingOptionsTimeout = f.AppBindingOptionsTimeout
	cfg.DisableInitEndpoints = f.DisableInitEndpoints
	cfg.EnableAppHealthCheck = f.EnableAppHealthCheck
	cfg.AppHealthCheckPath = f.AppHealthCheckPath
	cfg.AppHealthProbeInterval = f.AppHealthProbeInterval
	cfg.AppHealthProbeTimeout = f.AppHealthProbeTimeout
	cfg.AppHealthThreshold = f.AppHealthThreshold
}

// setResources says where component files lie and how often they are read again.
func setResources(cfg *runtime.Config, f *options.Options) {
	cfg.ResourcesPath = f.ResourcesPath
	cfg.ComponentsPath = f.ComponentsPath
	cfg.HotReloadReconcileInterval = f.HotReloadReconcileInterval
	cfg.DisableBuiltinK8sSecretStore = f.DisableBuiltinK8sSecretStore
}

// setControlPlane names the services beside daprd; each is off when its flag is absent.
func setControlPlane(cfg *runtime.Config, f *options.Options) {
	cfg.ControlPlaneAddress = f.ControlPlaneAddress
	cfg.SentryAddress = f.SentryAddress
	cfg.EnableMTLS = f.EnableMTLS
	cfg.ActorsService = f.ActorsService
	cfg.ActorsDisseminationTimeout = f.ActorsDisseminationTimeout
	cfg.RemindersService = f.RemindersService
	cfg.SchedulerAddress = f.SchedulerAddress
	cfg.SchedulerStreams = f.SchedulerJobStreams
}

// setLifetime says how long the end may take.
func setLifetime(cfg *runtime.Config, f *options.Options) {
	cfg.DaprGracefulShutdownSeconds = f.DaprGracefulShutdownSeconds
	cfg.DaprBlockShutdownDuration = f.DaprBlockShutdownDuration
}
