import com.sun.net.httpserver.HttpServer;
import io.dapr.client.DaprClient;
import io.dapr.client.DaprClientBuilder;
import io.dapr.client.DaprPreviewClient;
import io.dapr.client.SubscriptionListener;
import io.dapr.client.domain.CloudEvent;
import io.dapr.client.domain.HttpExtension;
import io.dapr.client.domain.State;
import io.dapr.client.domain.TransactionalStateOperation;
import io.dapr.exceptions.DaprException;
import io.dapr.utils.TypeRef;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import reactor.core.publisher.Mono;

/**
 * What the integration tests of Dapr's Java SDK do, in one program: an
 * application over HTTP and a client of its sidecar. Prints what it saw.
 */
public class Tries {
  static final String BROKER = "pubsub-redis";
  static final Map<String, Set<String>> SEEN = new TreeMap<>();

  static synchronized void keep(String name, String value) {
    SEEN.computeIfAbsent(name, n -> new TreeSet<>()).add(value);
  }

  static Set<String> await(String name, int count) throws Exception {
    for (int i = 0; i < 800; i++) {
      synchronized (Tries.class) {
        Set<String> got = SEEN.getOrDefault(name, Set.of());
        if (got.size() >= count) return new TreeSet<>(got);
      }
      Thread.sleep(25);
    }
    return Set.of("only " + SEEN.get(name));
  }

  static String failure(Runnable work) {
    try {
      work.run();
      return "none";
    } catch (DaprException error) {
      return error.getErrorCode() + " " + error.getHttpStatusCode();
    }
  }

  static void serve(int port) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
    server.createContext("/", exchange -> {
      String path = exchange.getRequestURI().toString();
      String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
      String answer = "\"" + exchange.getRequestMethod() + " " + path + " " + body.replace("\"", "'") + "\"";
      int status = 200;
      if (path.equals("/dapr/subscribe")) {
        answer = "[{'pubsubname':'P','topic':'java','route':'/java'},{'pubsubname':'P','topic':'many','route':'/many'}]"
            .replace("'", "\"").replace("\"P\"", "\"" + BROKER + "\"");
      } else if (path.equals("/java") || path.equals("/many")) {
        keep(path, body.replaceAll(".*\"data\":((\"[^\"]*\")|(\\{[^}]*\\})).*", "$1"));
        answer = "{\"status\":\"SUCCESS\"}";
      } else if (path.equals("/tick")) {
        keep(path, exchange.getRequestMethod());
      } else if (path.equals("/fail")) {
        status = 503;
      } else if (path.startsWith("/dapr/")) {
        status = 404;
      }
      byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().add("content-type", "application/json");
      exchange.sendResponseHeaders(status, bytes.length);
      exchange.getResponseBody().write(bytes);
      exchange.close();
    });
    server.start();
  }

  public static void main(String[] args) throws Exception {
    serve(Integer.parseInt(args[0]));
    Map<String, Object> told = new TreeMap<>();
    try (DaprClient client = new DaprClientBuilder().build();
        DaprPreviewClient preview = new DaprClientBuilder().buildPreviewClient()) {
      client.waitForSidecar(40_000).block();
      StringBuilder invoked = new StringBuilder();
      for (HttpExtension verb : List.of(HttpExtension.GET, HttpExtension.POST, HttpExtension.PUT, HttpExtension.DELETE)) {
        invoked.append(client.invokeMethod("sdk-app", "messages/1", Map.of("n", 1), verb, String.class).block()).append("; ");
      }
      var query = new HttpExtension(io.dapr.client.DaprHttp.HttpMethods.GET, Map.of("uri", List.of("a/b c&d")), Map.of());
      invoked.append(client.invokeMethod("sdk-app", "query", null, query, String.class).block());
      told.put("invoke", invoked.toString());
      told.put("failures", failure(() -> client.invokeMethod("sdk-app", "fail", null, HttpExtension.GET).block())
          + ", " + failure(() -> client.saveState("nowhere", "k", "v").block())
          + ", " + failure(() -> client.publishEvent("nowhere", "t", "v").block())
          + ", " + failure(() -> client.getSecret("nowhere", "k").block()));

      client.publishEvent(BROKER, "java", "a text").block();
      client.publishEvent(BROKER, "java", Map.of("n", 1)).block();
      told.put("topic", await("/java", 2));
      var bulk = preview.publishEvents(BROKER, "many", "application/json", List.of("one", "two")).block();
      told.put("bulk", bulk.getFailedEntries().size() + " " + await("/many", 2));
      told.put("binding", await("/tick", 1));

      var errors = Collections.synchronizedList(new java.util.ArrayList<String>());
      var listener = new SubscriptionListener<String>() {
        public Mono<Status> onEvent(CloudEvent<String> event) {
          boolean again = event.getData().endsWith("7") && errors.add(event.getId()) && errors.size() < 3;
          if (!again) keep("stream", event.getData());
          return Mono.just(again ? Status.RETRY : Status.SUCCESS);
        }

        public void onError(RuntimeException error) {
          errors.add(error.getMessage());
        }
      };
      for (int i = 0; i < 100; i++) client.publishEvent(BROKER, "stream", "message " + (i + 100)).block();
      try (var subscription = preview.subscribeToEvents(BROKER, "stream", listener, TypeRef.STRING)) {
        told.put("stream", await("stream", 100).size());
      }

      client.saveState("state-redis", "java", "value").block();
      State<String> state = client.getState("state-redis", "java", String.class).block();
      String old = failure(() -> client.saveState("state-redis", "java", "999", "new", null).block());
      client.executeStateTransaction("state-redis", List.of(
          new TransactionalStateOperation<>(TransactionalStateOperation.OperationType.UPSERT, new State<>("java2", "two", "")),
          new TransactionalStateOperation<>(TransactionalStateOperation.OperationType.DELETE, new State<>("java")))).block();
      StringBuilder states = new StringBuilder(state.getValue() + " " + old);
      for (var one : client.getBulkState("state-redis", List.of("java", "java2"), String.class).block())
        states.append(" ").append(one.getKey()).append("=").append(one.getValue());
      told.put("state", states.toString());
      told.put("secret", client.getSecret("secret-envvars", "TEST_SECRET_1").block()
          + " " + client.getBulkSecret("secret-envvars").block().get("TEST_SECRET_2"));
      told.put("configuration", client.getConfiguration("config-redis", "nothing", "nobody").block().size());
      told.put("metadata", client.getMetadata().block().getId());
      client.invokeBinding("files", "create", "aGVsbG8=".getBytes(), Map.of("fileName", "java.txt"), byte[].class).block();
      told.put("output binding", new String(client.invokeBinding("files", "get", null, Map.of("fileName", "java.txt"), byte[].class).block()));
      told.forEach((name, value) -> System.out.println(name + ": " + value));
      client.shutdown().block();
    }
    System.exit(0);
  }
}
