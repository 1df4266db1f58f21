package gunyah.arm64;

import gunyah.arm64.state.CpuPort;

/** A port without timers and interrupt controller; the counter is a field. */
public class IdlePort implements CpuPort {
    public long counter;

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
