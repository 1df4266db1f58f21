package gunyah.vmm.conformance;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;

/** One machine for a class of scenarios, a fresh process for each. */
@Tag("guest")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ScenarioTest {
    Bench bench;
    Client client;

    @BeforeAll
    void bootMachine() {
        bench = new Bench(getClass().getSimpleName());
    }

    @AfterAll
    void stopMachine() {
        bench.close();
    }

    @BeforeEach
    void newProcess() {
        client = new Client(bench.device);
    }

    @AfterEach
    void endProcess() {
        bench.tap.clear();
        client.close();
    }

    /** Runs on a thread of its own. */
    static <T> CompletableFuture<T> async(Callable<T> action) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("scenario").start(() -> {
            try {
                result.complete(action.call());
            } catch (Exception | AssertionError e) {
                result.completeExceptionally(new CompletionException(e));
            }
        });
        return result;
    }
}
