package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.BehaviorTestKit;
import akka.actor.typed.javadsl.Behaviors;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ObjectBehaviorTest {
    private record Ask(ReplySlot replyTo) implements ObjectBehavior.Call {
    }

    private final List<String> broken = new ArrayList<>();
    private int calls;

    private BehaviorTestKit<Ask> breakingAt(int call, Throwable bug) {
        calls = 0;
        broken.clear();
        return BehaviorTestKit.create(ObjectBehavior.<Ask>of(broken::add, ask -> {
            if (ask.replyTo() == null) {
                return Behaviors.stopped();
            }
            if (calls++ == call) {
                if (bug instanceof Error error) {
                    throw error;
                }
                throw (RuntimeException) bug;
            }
            ask.replyTo().reply(HypError.OK, calls);
            return Behaviors.same();
        }));
    }

    private static HypError call(BehaviorTestKit<Ask> object) {
        ReplySlot slot = ReplySlot.arm();
        object.run(new Ask(slot));
        return slot.await();
    }

    @Test
    void aCallThatBreaksFailsAndEveryLaterOneIsAnsweredAtOnceUntilTheObjectGoes() {
        long seed = Long.getLong("gunyah.seed", 20_261_125L);
        Random random = new Random(seed);
        Throwable[] bugs = {new IllegalStateException("injected"), new StackOverflowError(), new AssertionError()};
        for (int run = 0; run < 30; run++) {
            int at = random.nextInt(20);
            BehaviorTestKit<Ask> object = breakingAt(at, bugs[run % bugs.length]);
            for (int i = 0; i < at; i++) {
                assertThat(call(object)).as("seed %d run %d", seed, run).isEqualTo(HypError.OK);
            }

            assertThat(call(object)).as("seed %d run %d", seed, run).isEqualTo(HypError.FAILURE);
            assertThat(broken).as("told once").hasSize(1).first().asString().contains(bugs[run % bugs.length].toString());
            for (int i = 0; i < 3; i++) {
                assertThat(call(object)).as("seed %d run %d", seed, run).isEqualTo(HypError.OBJECT_STATE);
            }
            assertThat(calls).as("the handler is not entered again").isEqualTo(at + 1);
            object.run(new Ask(null));
            assertThat(object.isAlive()).isFalse();
        }
    }
}
