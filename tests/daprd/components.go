package main

import (
	"github.com/dapr/dapr/pkg/components/bindings"
	"github.com/dapr/dapr/pkg/components/configuration"
	"github.com/dapr/dapr/pkg/components/conversation"
	"github.com/dapr/dapr/pkg/components/crypto"
	"github.com/dapr/dapr/pkg/components/lock"
	"github.com/dapr/dapr/pkg/components/middleware/http"
	"github.com/dapr/dapr/pkg/components/nameresolution"
	"github.com/dapr/dapr/pkg/components/pubsub"
	"github.com/dapr/dapr/pkg/components/secretstores"
	"github.com/dapr/dapr/pkg/components/state"
	"github.com/dapr/dapr/pkg/runtime/registry"
	"github.com/dapr/kit/logger"

	httpbinding "github.com/dapr/components-contrib/bindings/http"

	"github.com/dapr/components-contrib/bindings/cron"
	"github.com/dapr/components-contrib/bindings/localstorage"
	redisconfiguration "github.com/dapr/components-contrib/configuration/redis"
	"github.com/dapr/components-contrib/conversation/echo"
	localcrypto "github.com/dapr/components-contrib/crypto/localstorage"
	redislock "github.com/dapr/components-contrib/lock/redis"
	"github.com/dapr/components-contrib/nameresolution/mdns"
	memorypubsub "github.com/dapr/components-contrib/pubsub/in-memory"
	redispubsub "github.com/dapr/components-contrib/pubsub/redis"
	envsecrets "github.com/dapr/components-contrib/secretstores/local/env"
	filesecrets "github.com/dapr/components-contrib/secretstores/local/file"
	memorystate "github.com/dapr/components-contrib/state/in-memory"
	redisstate "github.com/dapr/components-contrib/state/redis"
	"github.com/dapr/components-contrib/state/sqlite"
)

// The name under which the released daprd logs for its components: log lines then read alike.
var componentLog = logger.NewLogger("dapr.contrib")

// components lists what a component file's `type` may name: all of it runs with nothing, or with one Redis.
func components() *registry.Options {
	all := registry.NewOptions()
	withStorage(all)
	withMessaging(all)
	withTheRest(all)
	return all
}

func withStorage(all *registry.Options) {
	states := state.NewRegistry()
	states.Logger = componentLog
	states.RegisterComponent(memorystate.NewInMemoryStateStore, "in-memory")
	states.RegisterComponent(redisstate.NewRedisStateStore, "redis")
	states.RegisterComponent(sqlite.NewSQLiteStateStore, "sqlite", "sqlite3")

	secrets := secretstores.NewRegistry()
	secrets.Logger = componentLog
	secrets.RegisterComponent(envsecrets.NewEnvSecretStore, "local.env")
	secrets.RegisterComponent(filesecrets.NewLocalSecretStore, "local.file")

	configurations := configuration.NewRegistry()
	configurations.Logger = componentLog
	configurations.RegisterComponent(redisconfiguration.NewRedisConfigurationStore, "redis")

	locks := lock.NewRegistry()
	locks.Logger = componentLog
	locks.RegisterComponent(redislock.NewStandaloneRedisLock, "redis")

	all.WithStateStores(states).WithSecretStores(secrets).WithConfigurations(configurations).WithLocks(locks)
}

func withMessaging(all *registry.Options) {
	topics := pubsub.NewRegistry()
	topics.Logger = componentLog
	topics.RegisterComponent(memorypubsub.New, "in-memory")
	topics.RegisterComponent(redispubsub.NewRedisStreams, "redis")

	ends := bindings.NewRegistry()
	ends.Logger = componentLog
	ends.RegisterInputBinding(cron.NewCron, "cron")
	ends.RegisterOutputBinding(httpbinding.NewHTTP, "http")
	ends.RegisterOutputBinding(localstorage.NewLocalStorage, "localstorage")

	// Looked up by the runtime whenever no other resolver is configured.
	resolvers := nameresolution.NewRegistry()
	resolvers.Logger = componentLog
	resolvers.RegisterComponent(mdns.NewResolver, "mdns")

	all.WithPubSubs(topics).WithBindings(ends).WithNameResolutions(resolvers)
}

func withTheRest(all *registry.Options) {
	providers := crypto.NewRegistry()
	providers.Logger = componentLog
	providers.RegisterComponent(localcrypto.NewLocalStorageCrypto, "dapr.localstorage")

	conversations := conversation.NewRegistry()
	conversations.Logger = componentLog
	conversations.RegisterComponent(echo.NewEcho, "echo")

	// None is registered, yet the runtime asks the registry for every handler of a pipeline.
	middleware := http.NewRegistry()
	middleware.Logger = componentLog

	all.WithCryptoProviders(providers).WithConversations(conversations).WithHTTPMiddlewares(middleware)
}
