package gunyah.hyp.vic;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.hyp.Invariant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** Four shared interrupts of one vCPU, two of them edges, in any order of everything: what is delivered, and what not. */
class VicPropertiesTest {
    private static final int FIRST = 40;
    private static final int LINES = 4;
    /** Smaller is more urgent; the last two lines are equals. */
    private static final int[] PRIORITIES = {0x60, 0x80, 0xA0, 0xA0};
    private static final int[] MASKS = {0xF0, 0xA0, 0x80, 0x40};

    /** The rules for one line. */
    private static final class Line {
        private boolean edge;
        private boolean enabled;
        private boolean pending;
        private boolean active;
    }

    private VicBoard board;
    private VicBoard.Target target;
    private final VicBoard.Source[] sources = new VicBoard.Source[LINES];
    private final Line[] lines = new Line[LINES];
    private final Deque<Integer> taken = new ArrayDeque<>();
    private int mask;

    private void bringUp() {
        board = new VicBoard(1, 64).up();
        target = board.targets.getFirst();
        taken.clear();
        mask = MASKS[0];
        for (int i = 0; i < LINES; i++) {
            lines[i] = new Line();
            lines[i].edge = i % 2 == 0;
            board.priority(FIRST + i, PRIORITIES[i]);
            board.makeEdge(FIRST + i, lines[i].edge);
            sources[i] = board.bound(FIRST + i);
        }
    }

    /** {@return the line whose turn it is, -1 for none: enabled, pending, more urgent than the mask and what is taken} */
    private int next() {
        int best = -1;
        int limit = taken.isEmpty() ? mask : Math.min(mask, PRIORITIES[taken.peek()]);
        for (int i = 0; i < LINES; i++) {
            boolean deliverable = lines[i].enabled && lines[i].pending && !lines[i].active && PRIORITIES[i] < limit;
            if (deliverable && (best < 0 || PRIORITIES[i] < PRIORITIES[best])) {
                best = i;
            }
        }
        return best;
    }

    private void step(int number) {
        int i = number % LINES;
        Line line = lines[i];
        switch (number / LINES % 8) {
            case 0, 1 -> {
                sources[i].level = !line.edge;
                line.pending = true;
                sources[i].assertVirq(false);
            }
            case 2 -> {
                if (!line.edge) {
                    sources[i].level = false;
                    line.pending = false;
                    sources[i].clearVirq();
                }
            }
            case 3 -> enable(i, true);
            case 4 -> enable(i, false);
            case 5 -> acknowledge();
            case 6 -> end();
            default -> {
                mask = MASKS[number / (LINES * 8) % MASKS.length];
                board.write(0, IccRegister.PMR, mask);
            }
        }
    }

    private void enable(int i, boolean on) {
        lines[i].enabled = on;
        if (on) {
            board.enable(FIRST + i);
        } else {
            board.disable(FIRST + i);
        }
    }

    private void acknowledge() {
        int expected = next();
        assertThat(board.read(0, IccRegister.IAR1)).isEqualTo(expected < 0 ? VicBoard.SPURIOUS : FIRST + expected);
        if (expected >= 0) {
            lines[expected].pending = false;
            lines[expected].active = true;
            taken.push(expected);
        }
    }

    private void end() {
        if (!taken.isEmpty()) {
            int i = taken.pop();
            board.write(0, IccRegister.EOIR1, FIRST + i);
            lines[i].active = false;
            lines[i].pending |= sources[i].level;
        }
    }

    @Property
    @Invariant({39, 40, 41})
    void whatIsEnabledAndPendingIsDeliveredAndNothingElse(
            @ForAll @Size(max = 200) List<@IntRange(min = 0, max = 4095) Integer> steps) {
        bringUp();
        for (int number : steps) {
            boolean before = target.irq;
            int wakeUps = target.wakeUps;
            step(number);
            assertThat(target.irq).as("IRQ line, %s next", next()).isEqualTo(next() >= 0);
            if (target.irq && !before) {
                assertThat(target.wakeUps).as("wake-ups").isGreaterThan(wakeUps);
            }
        }
        // Everything that is owed comes, the most urgent first, once for an edge.
        while (!taken.isEmpty()) {
            end();
        }
        for (int i = 0; i < LINES; i++) {
            enable(i, true);
            sources[i].level = false;
        }
        board.write(0, IccRegister.PMR, 0xF0);
        mask = 0xF0;
        while (next() >= 0) {
            acknowledge();
            end();
        }
        assertThat(target.irq).isFalse();
        assertThat(board.read(0, IccRegister.IAR1)).isEqualTo(VicBoard.SPURIOUS);
    }
}
