package gunyah.arm64;

import gunyah.arm64.state.CpuPort;

/** A port without timers and interrupt controller; the counter is a field. */
public class IdlePort implements CpuPort {
    public long counter;
    /** What a test does when the PMU's interrupt may have changed. */
    public Runnable onOverflow = () -> { };

    @Override
    public long counter() {
        return counter;
    }

    @Override
    public void timerProgrammed() {
    }

    @Override
    public void timerExpired() {
    }

    @Override
    public void overflowChanged() {
        onOverflow.run();
    }

    @Override
    public long readIcc(int key) {
        return 0;
    }

    @Override
    public void writeIcc(int key, long value) {
    }

    @Override
    public boolean hasIcc(int key, boolean write) {
        return false;
    }
}
