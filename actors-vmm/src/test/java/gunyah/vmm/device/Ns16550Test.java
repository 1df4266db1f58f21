package gunyah.vmm.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** The PC's serial port as Linux's 8250 driver uses it. */
class Ns16550Test {
    private final StringBuilder written = new StringBuilder();
    private int interrupts;
    private final Ns16550 uart = new Ns16550(new ConsoleSink(
            bytes -> written.append(new String(bytes, StandardCharsets.US_ASCII)), Runnable::run), () -> interrupts++);

    private void write(int register, int value) {
        uart.write(register, 1, value);
    }

    private int read(int register) {
        return (int) uart.read(register, 1);
    }

    @Test
    void sendsBytesAndIsEmptyAtOnce() {
        write(0, 'h');
        write(0, 'i');

        assertThat(written).hasToString("hi");
        assertThat(read(5)).isEqualTo(0x60);
    }

    @Test
    void hasADivisorBehindTheLatchBit() {
        write(3, 0x83);
        write(0, 0x34);
        write(1, 0x12);
        assertThat(read(0)).isEqualTo(0x34);
        assertThat(read(1)).isEqualTo(0x12);
        write(3, 0x03);

        assertThat(read(1)).isZero();
        assertThat(written).isEmpty();
    }

    @Test
    void enablingTheTransmitInterruptAssertsItEachTime() {
        write(1, 2);
        assertThat(interrupts).isEqualTo(1);
        assertThat(read(2)).isEqualTo(2);
        assertThat(read(2)).isEqualTo(1);
        write(1, 0);
        write(1, 2);

        assertThat(interrupts).isEqualTo(2);
        assertThat(read(2)).isEqualTo(2);
    }

    @Test
    void aWrittenByteAssertsTheTransmitInterruptAgain() {
        write(1, 2);
        read(2);
        write(0, 'x');

        assertThat(interrupts).isEqualTo(2);
        assertThat(read(2)).isEqualTo(2);
    }

    @Test
    void typedBytesWaitForTheReceiveInterruptAndSurviveAnEmptiedFifo() {
        uart.type("abc".getBytes());
        write(2, 7);
        assertThat(read(5) & 1).isZero();

        write(1, 1);

        assertThat(interrupts).isEqualTo(1);
        assertThat(read(2)).isEqualTo(0xc4);
        assertThat((char) read(0)).isEqualTo('a');
        assertThat((char) read(0)).isEqualTo('b');
        assertThat((char) read(0)).isEqualTo('c');
        assertThat(read(2)).isEqualTo(0xc1);
        assertThat(uart.untaken()).isZero();
    }

    @Test
    void aGuestThatPollsGetsBytesToo() {
        uart.type("p".getBytes());
        int polls = 0;
        while ((read(5) & 1) == 0) {
            polls++;
        }

        assertThat(polls).isEqualTo(ReceiveFifo.POLLS_TO_RECEIVE - 1);
        assertThat((char) read(0)).isEqualTo('p');
    }

    @Test
    void loopbackShowsItsOwnLinesAndBytes() {
        write(4, 0x1a);
        assertThat(read(6) & 0xf0).isEqualTo(0x90);
        write(0, 'l');

        assertThat((char) read(0)).isEqualTo('l');
        assertThat(written).isEmpty();
    }

    @Test
    void theScratchRegisterKeepsItsValue() {
        write(7, 0x5a);
        assertThat(read(7)).isEqualTo(0x5a);
        assertThat(uart.read(8, 1)).isZero();
    }
}
