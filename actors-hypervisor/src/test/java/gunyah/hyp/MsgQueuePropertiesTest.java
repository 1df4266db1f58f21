package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** Any queue, any traffic: sizes, counts, and how often the receiver is interrupted. */
class MsgQueuePropertiesTest {
    private static final Machine MACHINE = Machine.light();
    private static final long BUFFER = Machine.RAM + 0x20_0000;

    static {
        Machine.must(MACHINE.call(0x2B, MACHINE.rootSpaceCap, MACHINE.rootExtentCap, BUFFER, 0xF_0066L, 1, BUFFER,
                0x2000));
    }

    /** @param size as part of the largest: 0 none, 100 the largest, 101 one more */
    private record Step(boolean send, boolean push, int size) {
        static Step of(int number) {
            return new Step(number % 5 < 3, number % 11 == 0, number % 102);
        }
    }

    private static int size(Step step, int max) {
        return step.size <= 100 ? max * step.size / 100 : max + 1;
    }

    @Property(tries = 100)
    @Invariant({2, 4, 7})
    void countsSizesAndInterruptsFollowTheRules(@ForAll @IntRange(min = 1, max = 255) int depth,
            @ForAll @IntRange(min = 1, max = 1023) int max, @ForAll boolean pushes,
            @ForAll @Size(max = 120) List<@IntRange(min = 0, max = 9999) Integer> numbers) {
        int room = depth % 7 == 0 ? depth : 1 + depth % 7;
        long queue = MACHINE.create(0x07);
        Machine.must(MACHINE.call(0x21, queue, room | (long) max << 16, 0));
        Machine.must(MACHINE.call(0x0C, queue, 0));
        long vicCap = MACHINE.create(0x0A);
        Machine.must(MACHINE.call(0x0C, vicCap, 0));
        Machine.must(MACHINE.call(0x18, queue, vicCap, 41, 0));
        Machine.FakeVic vic = (Machine.FakeVic) MACHINE.object(vicCap);
        int count = 0;
        int sent = 0;
        int crossings = 0;
        for (int number : numbers) {
            Step step = Step.of(number);
            if (!step.send) {
                long[] x = MACHINE.registers(0x1C, queue, BUFFER, 1023, 0);
                assertThat(x[0]).isEqualTo(count == 0 ? HypError.MSGQUEUE_EMPTY.code() : 0);
                count -= count == 0 ? 0 : 1;
                assertThat(x[2]).as("not_empty at %d", count).isEqualTo(count > 0 ? 1 : 0);
                continue;
            }
            int size = size(step, max);
            boolean push = pushes && step.push;
            long[] x = MACHINE.registers(0x1B, queue, size, BUFFER, push ? 1 : 0, 0);
            boolean fits = size >= 1 && size <= max;
            if (fits && count < room) {
                assertThat(x[0]).as("%d of %d bytes", size, max).isZero();
                count++;
                sent++;
                crossings += push || count == 1 ? 1 : 0;
            } else {
                assertThat(x[0]).isEqualTo(fits ? HypError.MSGQUEUE_FULL.code() : HypError.ARGUMENT_SIZE.code());
            }
            if (fits) {
                assertThat(x[1]).as("not_full at %d of %d", count, room).isEqualTo(count < room ? 1 : 0);
            }
        }

        assertThat(vic.edges).isEqualTo(crossings).isLessThanOrEqualTo(sent);
        Machine.must(MACHINE.call(0x22, MACHINE.cspaceCap, queue, 0));
        Machine.must(MACHINE.call(0x22, MACHINE.cspaceCap, vicCap, 0));
    }
}
