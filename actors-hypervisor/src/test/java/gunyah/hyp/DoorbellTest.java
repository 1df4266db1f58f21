package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.hyp.doorbell.Doorbell;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class DoorbellTest {
    private static final Machine MACHINE = new Machine();

    private final long bell = MACHINE.create(0x06);
    private final long vicCap = MACHINE.create(0x0A);
    private final Machine.FakeVic vic = (Machine.FakeVic) MACHINE.object(vicCap);

    DoorbellTest() {
        Machine.must(MACHINE.call(0x0C, bell, 0));
        Machine.must(MACHINE.call(0x0C, vicCap, 0));
        Machine.must(MACHINE.call(0x10, bell, vicCap, 40, 0));
    }

    @AfterAll
    static void stop() {
        MACHINE.close();
    }

    private long send(long flags) {
        long[] x = MACHINE.registers(0x12, bell, flags, 0);
        Machine.must(x[0]);
        return x[1];
    }

    private long receive(long flags) {
        long[] x = MACHINE.registers(0x13, bell, flags, 0);
        Machine.must(x[0]);
        return x[1];
    }

    private void mask(long enable, long ack) {
        Machine.must(MACHINE.call(0x15, bell, enable, ack, 0));
    }

    private boolean pending() {
        // what the VIC asks at end of interrupt
        return vic.lastSource.checkPending(false);
    }

    @Test
    void sendAndReceiveAnswerTheFlagsBefore() {
        assertThat(send(0b101)).isZero();
        assertThat(send(0b010)).isEqualTo(0b101);
        assertThat(receive(0b001)).isEqualTo(0b111);
        assertThat(receive(~0L)).isEqualTo(0b110);
        assertThat(receive(1)).isZero();
        assertThat(MACHINE.call(0x13, bell, 0, 0)).isEqualTo(HypError.ARGUMENT_INVALID.code());
    }

    @Test
    @Invariant(10)
    void maskedFlagsGiveOnlyAnEdgeAndUnmaskingAsserts() {
        mask(0b1, 0);
        send(0b10);
        assertThat(vic.edges).isEqualTo(1);
        assertThat(vic.levels).isZero();
        assertThat(pending()).isFalse();

        mask(0b10, 0);
        assertThat(vic.levels).isEqualTo(1);
        assertThat(pending()).isTrue();
        mask(0, 0);
        assertThat(vic.clears).isEqualTo(1);
        mask(0b11, 0);
        assertThat(vic.levels).isEqualTo(2);
        assertThat(receive(~0L)).isEqualTo(0b10);
        assertThat(pending()).isFalse();
    }

    @Test
    void assertionClearsAcknowledgedFlags() {
        mask(~0L, 0b1);
        assertThat(send(0b11)).isZero();
        assertThat(vic.levels).isEqualTo(1);
        assertThat(receive(~0L)).isEqualTo(0b10);
    }

    @Test
    @Invariant(11)
    void resetReturnsToPowerOnValues() {
        mask(0, ~0L);
        send(0b1);
        Machine.must(MACHINE.call(0x14, bell, 0));
        assertThat(vic.clears).isEqualTo(1);
        assertThat(send(0b100)).isZero();
        assertThat(vic.levels).isEqualTo(1);
        assertThat(receive(~0L)).isEqualTo(0b100);
    }

    @Test
    void bindingTwiceIsRefusedAndUnbindingIsIdempotent() {
        assertThat(MACHINE.call(0x10, bell, vicCap, 41, 0)).isEqualTo(HypError.VIRQ_BOUND.code());
        Machine.must(MACHINE.call(0x11, bell, 0));
        Machine.must(MACHINE.call(0x11, bell, 0));
        send(1);
        assertThat(vic.edges).isZero();
        Machine.must(MACHINE.call(0x10, bell, vicCap, 41, 0));
    }

    @Test
    @Invariant(8)
    void everyFlagIsSeenByExactlyOneReceiverWhoClearsIt() throws Exception {
        Doorbell object = (Doorbell) MACHINE.object(bell);
        assertThat(object.state()).isEqualTo(KernelObject.State.ACTIVE);
        AtomicLong sets = new AtomicLong();
        AtomicLong takes = new AtomicLong();
        Thread sender = Thread.ofPlatform().start(() -> {
            Random random = new Random(1);
            for (int i = 0; i < 20_000; i++) {
                long flag = 1L << random.nextInt(64);
                long[] x = MACHINE.registers(0x12, bell, flag, 0);
                if ((x[1] & flag) == 0) {
                    sets.incrementAndGet();
                }
            }
        });
        Runnable receiver = () -> {
            for (int i = 0; i < 10_000; i++) {
                takes.addAndGet(Long.bitCount(MACHINE.registers(0x13, bell, ~0L, 0)[1]));
            }
        };
        Thread first = Thread.ofPlatform().start(receiver);
        Thread second = Thread.ofVirtual().start(receiver);
        sender.join();
        first.join();
        second.join();
        takes.addAndGet(Long.bitCount(receive(~0L)));
        assertThat(takes.get()).isEqualTo(sets.get());
    }
}
