package gunyah.hyp.msgqueue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import akka.actor.testkit.typed.javadsl.BehaviorTestKit;
import gunyah.hyp.Caller;
import gunyah.hyp.HypError;
import gunyah.hyp.ReplySlot;
import gunyah.hyp.ThreadObject;
import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.cspace.CSpace;
import org.junit.jupiter.api.Test;

class MsgQueueActorTest {
    /** A caller whose memory is one buffer, or broken. */
    private static final class BufferCaller implements Caller {
        private final byte[] buffer = new byte[16];
        private boolean broken;

        @Override
        public CSpace cspace() {
            return null;
        }

        @Override
        public Addrspace addrspace() {
            return null;
        }

        @Override
        public ThreadObject thread() {
            return null;
        }

        @Override
        public HypError copyIn(long va, byte[] target, int length) {
            if (broken) {
                throw new IllegalStateException("walker");
            }
            System.arraycopy(buffer, 0, target, 0, length);
            return HypError.OK;
        }

        @Override
        public HypError copyOut(long va, byte[] source, int length) {
            System.arraycopy(source, 0, buffer, 0, length);
            return HypError.OK;
        }
    }

    private final MsgQueueActor.Lines lines = new MsgQueueActor.Lines();
    private final BehaviorTestKit<MsgQueueActor.Command> queue =
            BehaviorTestKit.create(MsgQueueActor.create(3, 16, lines, reason -> { }));
    private final BufferCaller caller = new BufferCaller();

    private ReplySlot send() {
        ReplySlot slot = ReplySlot.arm();
        queue.run(new MsgQueueActor.Send(caller, 0, 4, false, slot));
        return slot;
    }

    @Test
    void bothLinesFollowTheThresholdsLazily() {
        assertThat(lines.receive.checkPending(false)).isFalse();
        assertThat(lines.send.checkPending(false)).isTrue();
        for (int i = 0; i < 3; i++) {
            assertThat(send().await()).isEqualTo(HypError.OK);
        }
        assertThat(lines.receive.checkPending(false)).isTrue();
        assertThat(lines.send.checkPending(false)).isFalse();
        assertThat(send().await()).isEqualTo(HypError.MSGQUEUE_FULL);
        ReplySlot slot = ReplySlot.arm();
        queue.run(new MsgQueueActor.Flush(slot));
        assertThat(slot.await()).isEqualTo(HypError.OK);
        assertThat(lines.receive.checkPending(false)).isFalse();
        assertThat(lines.send.checkPending(false)).isTrue();
    }

    @Test
    void aCallerWhoseTranslationBreaksDoesNotTakeTheQueueWithIt() {
        caller.broken = true;
        ReplySlot broken = send();
        assertThatThrownBy(broken::await).hasMessage("walker");
        caller.broken = false;
        caller.buffer[0] = 42;
        assertThat(send().await()).isEqualTo(HypError.OK);
        caller.buffer[0] = 0;
        ReplySlot slot = ReplySlot.arm();
        queue.run(new MsgQueueActor.Receive(caller, 0, 16, slot));
        assertThat(slot.await()).isEqualTo(HypError.OK);
        assertThat(slot.first()).isEqualTo(4);
        assertThat(caller.buffer[0]).isEqualTo((byte) 42);
    }
}
