package gunyah.hyp.doorbell;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.BehaviorTestKit;
import gunyah.hyp.HypError;
import gunyah.hyp.Invariant;
import gunyah.hyp.ReplySlot;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DoorbellActorTest {
    private final DoorbellActor.Line line = new DoorbellActor.Line();
    private final BehaviorTestKit<DoorbellActor.Command> bell =
            BehaviorTestKit.create(DoorbellActor.create(line, reason -> { }));

    private long ask(java.util.function.Function<ReplySlot, DoorbellActor.Command> command) {
        ReplySlot slot = ReplySlot.arm();
        bell.run(command.apply(slot));
        assertThat(slot.await()).isEqualTo(HypError.OK);
        return slot.first();
    }

    @Test
    @Invariant({9, 10, 11})
    void randomCallsFollowTheRulesOfFlagsEnableAndAck() {
        long seed = Long.getLong("gunyah.seed", 20_261_122L);
        Random random = new Random(seed);
        long flags = 0;
        long enable = ~0L;
        long ack = 0;
        for (int step = 0; step < 5000; step++) {
            long a = 1L << random.nextInt(6) | 1L << random.nextInt(6);
            long b = 1L << random.nextInt(6);
            switch (random.nextInt(4)) {
                case 0 -> {
                    assertThat(ask(slot -> new DoorbellActor.Send(a, slot))).as("seed %d", seed).isEqualTo(flags);
                    flags |= a;
                    if ((flags & enable) != 0) {
                        flags &= ~ack;
                    }
                }
                case 1 -> {
                    assertThat(ask(slot -> new DoorbellActor.Receive(a, slot))).as("seed %d", seed).isEqualTo(flags);
                    flags &= ~a;
                }
                case 2 -> {
                    ask(slot -> new DoorbellActor.Mask(a, b, slot));
                    enable = a;
                    ack = b;
                    if ((flags & enable) != 0) {
                        flags &= ~ack;
                    }
                }
                default -> {
                    if (random.nextInt(20) == 0) {
                        ask(DoorbellActor.Reset::new);
                        flags = 0;
                        enable = ~0L;
                        ack = 0;
                    }
                }
            }
            assertThat(line.checkPending(false)).as("seed %d step %d", seed, step).isEqualTo((flags & enable) != 0);
            assertThat(line.checkPending(true)).isTrue();
        }
    }

    @Test
    void stopEndsTheActor() {
        bell.run(DoorbellActor.stop());
        assertThat(bell.isAlive()).isFalse();
    }
}
