package gunyah.arm64.sysreg;

import static gunyah.arm64.sysreg.SystemRegisters.key;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gunyah.arm64.SystemBoard;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GenericTimersTest {
    private static final int CNTP_TVAL = key(3, 3, 14, 2, 0);
    private static final int CNTP_CTL = key(3, 3, 14, 2, 1);
    private static final int CNTP_CVAL = key(3, 3, 14, 2, 2);
    private static final int CNTV_TVAL = key(3, 3, 14, 3, 0);
    private static final int CNTV_CTL = key(3, 3, 14, 3, 1);
    private static final int CNTV_CVAL = key(3, 3, 14, 3, 2);

    private final SystemBoard board = new SystemBoard();
    private final SystemRegisters registers = board.registers;
    private final GenericTimers timers = registers.timers();

    @AfterEach
    void close() {
        board.close();
    }

    @Test
    void virtualLineRisesWhenTheCounterReachesTheComparator() {
        registers.write(CNTV_CVAL, 1000);
        registers.write(CNTV_CTL, 1);

        assertEquals(1000, timers.nextDeadline());
        assertFalse(timers.virtualLine(999));
        assertTrue(timers.virtualLine(1000));
        assertFalse(timers.physicalLine(1000));
        board.port.counter = 1000;
        assertEquals(5, registers.read(CNTV_CTL));
        assertEquals(2, board.port.programmed);
    }

    @Test
    void maskedTimerShowsItsStatusButNotItsLine() {
        registers.write(CNTP_CTL, 3);
        board.port.counter = 1;

        assertEquals(7, registers.read(CNTP_CTL));
        assertFalse(timers.physicalLine(1));
        assertEquals(Long.MAX_VALUE, timers.nextDeadline());
    }

    @Test
    void disabledTimerHasNoStatusAndNoDeadline() {
        board.port.counter = 5;
        assertEquals(0, registers.read(CNTV_CTL));
        assertEquals(Long.MAX_VALUE, timers.nextDeadline());
    }

    @Test
    void timerValueIsASignedViewOfTheComparator() {
        board.port.counter = 0x1_0000_0000L;
        registers.write(CNTV_TVAL, 100);
        assertEquals(0x1_0000_0064L, registers.read(CNTV_CVAL));
        registers.write(CNTP_TVAL, 0xFFFF_FFFFL);
        assertEquals(0xFFFF_FFFFL, registers.read(CNTP_CVAL));
        board.port.counter += 101;
        assertEquals(0xFFFF_FFFFL, registers.read(CNTV_TVAL));
    }

    @Test
    void earlierDeadlineWinsAndAllOnesMeansNever() {
        registers.write(CNTV_CVAL, -1);
        registers.write(CNTV_CTL, 1);
        assertEquals(Long.MAX_VALUE, timers.nextDeadline());
        assertFalse(timers.virtualLine(Long.MAX_VALUE));
        registers.write(CNTP_CVAL, 7);
        registers.write(CNTP_CTL, 1);
        assertEquals(7, timers.nextDeadline());
        timers.reset();
        assertEquals(Long.MAX_VALUE, timers.nextDeadline());
    }
}
