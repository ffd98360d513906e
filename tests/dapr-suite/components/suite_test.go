// Package components asks Dapr's conformance suite of components, made for their Go code, of a sidecar: each component
// is one behind Dapr's API. See the README in the folder above.
package components

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dapr/components-contrib/tests/conformance"
	confbindings "github.com/dapr/components-contrib/tests/conformance/bindings"
	confconfiguration "github.com/dapr/components-contrib/tests/conformance/configuration"
	conflock "github.com/dapr/components-contrib/tests/conformance/lock"
	confpubsub "github.com/dapr/components-contrib/tests/conformance/pubsub"
	confsecretstores "github.com/dapr/components-contrib/tests/conformance/secretstores"
	confstate "github.com/dapr/components-contrib/tests/conformance/state"
	"github.com/dapr/components-contrib/tests/utils/configupdater"
	updaterpostgres "github.com/dapr/components-contrib/tests/utils/configupdater/postgres"
	updaterredis "github.com/dapr/components-contrib/tests/utils/configupdater/redis"
	"github.com/dapr/kit/logger"
)

// What the suite asks of state stores that no call of the API reaches.
var unreachable = []string{"delete-with-prefix", "keyslike"}

func TestState(t *testing.T) {
	forEach(t, "state", func(t *testing.T, comp *conformance.TestComponent, s *sidecar, props map[string]string) {
		operations := slices.DeleteFunc(comp.Operations, func(one string) bool { return slices.Contains(unreachable, one) })
		config, err := confstate.NewTestConfig(comp.Component, operations, comp.Config)
		require.NoError(t, err)
		confstate.ConformanceTests(t, props, stateStore{s}, config)
	})
}

func TestPubsub(t *testing.T) {
	forEach(t, "pubsub", func(t *testing.T, comp *conformance.TestComponent, s *sidecar, props map[string]string) {
		config, err := confpubsub.NewTestConfig(comp.Component, comp.Operations, comp.Config)
		require.NoError(t, err)
		confpubsub.ConformanceTests(t, props, newBroker(s, config), config)
	})
}

func TestBindings(t *testing.T) {
	forEach(t, "bindings", func(t *testing.T, comp *conformance.TestComponent, s *sidecar, props map[string]string) {
		config, err := confbindings.NewTestConfig(comp.Component, comp.Operations, comp.Config)
		require.NoError(t, err)
		both := newBinding(s, config.HasOperation("read"))
		confbindings.ConformanceTests(t, props, both, both, config)
	})
}

func TestLock(t *testing.T) {
	forEach(t, "lock", func(t *testing.T, comp *conformance.TestComponent, s *sidecar, props map[string]string) {
		config, err := conflock.NewTestConfig(comp.Component, comp.Operations, comp.Config)
		require.NoError(t, err)
		conflock.ConformanceTests(t, props, lockStore{s}, config)
	})
}

func TestConfiguration(t *testing.T) {
	forEach(t, "configuration", func(t *testing.T, comp *conformance.TestComponent, s *sidecar, props map[string]string) {
		config := confconfiguration.NewTestConfig(comp.Component, comp.Operations, comp.Config)
		var updater configupdater.Updater
		if strings.HasPrefix(comp.Component, "redis") {
			updater = updaterredis.NewRedisConfigUpdater(logger.NewLogger("updater"))
		} else {
			updater = updaterpostgres.NewPostgresConfigUpdater(logger.NewLogger("updater"))
		}
		confconfiguration.ConformanceTests(t, props, configurationStore{s}, updater, config, comp.Component)
	})
}

func TestSecretstores(t *testing.T) {
	forEach(t, "secretstores", func(t *testing.T, comp *conformance.TestComponent, s *sidecar, props map[string]string) {
		config := confsecretstores.NewTestConfig(comp.Component, comp.Operations)
		confsecretstores.ConformanceTests(t, props, secretStore{s}, config)
	})
}

type suite func(t *testing.T, comp *conformance.TestComponent, s *sidecar, props map[string]string)

// forEach runs a suite over the components of a kind that are listed in the folder of HOLDFAST_COMPONENTS.
func forEach(t *testing.T, kind string, run suite) {
	folder := filepath.Join(os.Getenv("HOLDFAST_COMPONENTS"), kind)
	tests, err := conformance.NewTestConfiguration(filepath.Join(folder, "tests.yml"))
	require.NoError(t, err)
	tests.TestFn = func(comp *conformance.TestComponent) func(t *testing.T) {
		return func(t *testing.T) {
			conformance.ParseConfigurationMap(t, comp.Config)
			at := filepath.Join(folder, strings.ReplaceAll(comp.Component, ".", "/"), comp.Profile)
			found, err := conformance.LoadComponents(at)
			require.NoError(t, err)
			require.Len(t, found, 1)
			spec := found[0].Spec
			props, err := conformance.ConvertMetadataToProperties(spec.Metadata)
			require.NoError(t, err)
			run(t, comp, &sidecar{t: t, spec: componentSpec{kind: spec.Type, version: spec.Version}, app: quiet{}}, props)
		}
	}
	tests.Run(t)
}
