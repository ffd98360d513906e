package components

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	rtv1 "github.com/dapr/dapr/pkg/proto/runtime/v1"
)

// name is what the component under test is called in its file.
const name = "under-test"

// longestStart is how long a sidecar may take until it is ready.
const longestStart = time.Minute

// sidecar is the process under test with one component, before the app that this test is.
type sidecar struct {
	rtv1.DaprClient
	t    *testing.T
	spec componentSpec
	// app answers what the sidecar asks of its app; nil where the component calls none.
	app callbacks
}

// componentSpec says what is under test, as its file in Dapr's suite does.
type componentSpec struct {
	kind, version string
}

// start has the sidecar begin with the component of these properties, unless it has already begun.
func (s *sidecar) start(ctx context.Context, props map[string]string) error {
	if s.DaprClient != nil {
		return nil
	}
	folder := s.t.TempDir()
	if err := writeFiles(folder, s.spec, props); err != nil {
		return err
	}
	appPort, err := s.serveApp()
	if err != nil {
		return err
	}
	free, err := freePorts(4)
	if err != nil {
		return err
	}
	httpPort, grpcPort, internalPort, metricsPort := free[0], free[1], free[2], free[3]
	log, err := os.Create(filepath.Join(os.Getenv("HOLDFAST_LOGS"), strings.ReplaceAll(s.t.Name(), "/", "-")+".log"))
	if err != nil {
		return err
	}
	cmd := exec.Command(os.Getenv("HOLDFAST_SIDECAR"),
		"--app-id", "components", "--app-protocol", "grpc", "--app-port", fmt.Sprint(appPort),
		"--resources-path", filepath.Join(folder, "resources"), "--config", filepath.Join(folder, "config.yaml"),
		"--dapr-http-port", fmt.Sprint(httpPort), "--dapr-grpc-port", fmt.Sprint(grpcPort),
		"--dapr-internal-grpc-port", fmt.Sprint(internalPort), "--metrics-port", fmt.Sprint(metricsPort),
		"--dapr-listen-addresses", "127.0.0.1", "--log-level", "debug")
	cmd.Env = append(os.Environ(), "DAPR_HOST_IP=127.0.0.1")
	cmd.Stdout, cmd.Stderr = log, log
	// A group of its own, and none without this process, so that nothing outlives it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	s.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-ended
		log.Close()
	})
	if err := ready(ctx, fmt.Sprintf("http://127.0.0.1:%d/v1.0/healthz", httpPort), ended); err != nil {
		return fmt.Errorf("%w; its log is %s", err, log.Name())
	}
	conn, err := grpc.NewClient(fmt.Sprintf("127.0.0.1:%d", grpcPort), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	s.t.Cleanup(func() { conn.Close() })
	s.DaprClient = rtv1.NewDaprClient(conn)
	return nil
}

// capabilities is what the sidecar says that the component can do.
func (s *sidecar) capabilities() []string {
	said, err := s.GetMetadata(context.Background(), &rtv1.GetMetadataRequest{})
	if err != nil {
		s.t.Errorf("the sidecar does not say what its component can do: %v", err)
		return nil
	}
	for _, one := range said.GetRegisteredComponents() {
		if one.GetName() == name {
			return one.GetCapabilities()
		}
	}
	s.t.Errorf("the sidecar does not know %q", name)
	return nil
}

func (s *sidecar) serveApp() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	server := grpc.NewServer()
	app := &appServer{callbacks: s.app}
	rtv1.RegisterAppCallbackServer(server, app)
	rtv1.RegisterAppCallbackAlphaServer(server, app)
	go func() { _ = server.Serve(listener) }()
	s.t.Cleanup(server.Stop)
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// freePorts are free as long as nobody else takes them.
func freePorts(count int) ([]int, error) {
	free := []int{}
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		free = append(free, listener.Addr().(*net.TCPAddr).Port)
	}
	return free, nil
}

func ready(ctx context.Context, url string, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, longestStart)
	defer cancel()
	for {
		if res, err := http.Get(url); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusNoContent {
				return nil
			}
		}
		select {
		case <-ended:
			return fmt.Errorf("the sidecar ended before it was ready")
		case <-ctx.Done():
			return fmt.Errorf("the sidecar is not ready: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// fromVariable begins the value of a property that is to be read from a variable of the environment.
const fromVariable = "secretKeyRef:"

// writeFiles writes the component beside the resources that are given, and a configuration by which sidecars find each other without the network.
func writeFiles(folder string, spec componentSpec, props map[string]string) error {
	metadata := []map[string]any{}
	for key, value := range props {
		item := map[string]any{"name": key, "value": value}
		if variable, ok := strings.CutPrefix(value, fromVariable); ok {
			item = map[string]any{"name": key, "secretKeyRef": map[string]string{"name": variable, "key": variable}}
		}
		metadata = append(metadata, item)
	}
	component := document("Component", name, map[string]any{
		"type": spec.kind, "version": spec.version, "metadata": metadata,
	})
	component["auth"] = map[string]string{"secretStore": "variables"}
	configuration := document("Configuration", "names", map[string]any{
		"nameResolution": map[string]any{
			"component": "sqlite", "version": "v1",
			"configuration": map[string]string{"connectionString": filepath.Join(folder, "names.db")},
		},
	})
	resources := filepath.Join(folder, "resources")
	beside := filepath.Join(os.Getenv("HOLDFAST_COMPONENTS"), "resources")
	return errors.Join(
		os.CopyFS(resources, os.DirFS(beside)),
		write(filepath.Join(resources, "component.yaml"), component),
		write(filepath.Join(folder, "config.yaml"), configuration),
	)
}

func document(kind, named string, spec map[string]any) map[string]any {
	return map[string]any{
		"apiVersion": "dapr.io/v1alpha1", "kind": kind, "metadata": map[string]string{"name": named}, "spec": spec,
	}
}

// write writes JSON, which is YAML too.
func write(file string, what any) error {
	text, err := json.Marshal(what)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}
