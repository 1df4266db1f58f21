package gunyah.vmm;

import gunyah.vmm.device.InterruptLine;
import gunyah.vmm.device.Pl031;
import java.time.Duration;
import java.time.InstantSource;

/** A machine's PL031 with one alarm kept under way at the clock's match time. */
final class RtcAlarm {
    /** Runs something later, on a thread that may not block. */
    interface Alarms {
        void after(Duration delay, Runnable action);
    }

    private final Alarms alarms;
    private final Pl031 rtc;

    RtcAlarm(InstantSource clock, InterruptLine line, Alarms alarms) {
        this.alarms = alarms;
        this.rtc = new Pl031(clock, line, this::arm);
    }

    Pl031 rtc() {
        return rtc;
    }

    private void arm() {
        long seconds = rtc.alarm();
        if (seconds != Pl031.NO_ALARM) {
            alarms.after(Duration.ofSeconds(seconds), () -> {
                rtc.tick();
                arm();
            });
        }
    }
}
