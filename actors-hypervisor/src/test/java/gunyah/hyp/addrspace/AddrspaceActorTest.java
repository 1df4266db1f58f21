package gunyah.hyp.addrspace;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.BehaviorTestKit;
import gunyah.hyp.HypError;
import gunyah.hyp.Machine;
import gunyah.hyp.ReplySlot;
import gunyah.memory.Access;
import gunyah.memory.Stage2Table;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The writer of one address space, message by message. */
class AddrspaceActorTest {
    private static final long PAGE = 0x1000;
    private static final long IPA = 0x8000_0000L;
    private static final long PA = 0x4010_0000L;
    private static final long RWX = Stage2Table.entry(0, Access.R | Access.W | Access.X, 0, 15);
    private static final long READ = Stage2Table.entry(0, Access.R, 0, 15);
    private static final long PRIVATE = RWX | PageFlags.PRIVATE | PageFlags.LOCKED;

    private final Machine machine = Machine.light();
    private final Addrspace space = (Addrspace) machine.object(machine.addrspace(5));
    private final BehaviorTestKit<AddrspaceActor.Command> actor = BehaviorTestKit.create(AddrspaceActor.create(space));
    private int syncsRequested;
    private long answered;

    AddrspaceActorTest() {
        space.observers(new StageTwoObservers() {
            @Override
            public void requestSync() {
                syncsRequested++;
            }

            @Override
            public boolean synced(int epoch) {
                return true;
            }
        });
    }

    @AfterEach
    void close() {
        machine.close();
    }

    private HypError tell(Function<ReplySlot, AddrspaceActor.Command> command) {
        ReplySlot slot = ReplySlot.arm();
        actor.run(command.apply(slot));
        HypError error = slot.await();
        answered = slot.first();
        return error;
    }

    private void install(long ipa, long pa, long size, long bits) {
        assertThat(tell(slot -> new AddrspaceActor.Install(ipa, pa, size, bits, slot))).isEqualTo(HypError.OK);
    }

    private long entry(long ipa) {
        return space.stage2().lookup(ipa);
    }

    @Test
    void newEntriesNeedNobodysAcknowledgement() {
        install(IPA, PA, 3 * PAGE, RWX);

        assertThat(entry(IPA + 2 * PAGE)).isEqualTo(RWX | PA + 2 * PAGE);
        assertThat(entry(IPA + 3 * PAGE)).isZero();
        assertThat(answered).isZero();
        assertThat(syncsRequested).isZero();
    }

    @Test
    void lostRightsAndOtherFramesAreCalledBack() {
        install(IPA, PA, PAGE, RWX);
        int epoch = space.stage2().epoch();

        install(IPA, PA, PAGE, READ);
        assertThat(answered).isEqualTo(space.ticket());
        install(IPA, PA, PAGE, RWX);
        assertThat(answered).as("more rights").isZero();
        install(IPA, PA + PAGE, PAGE, RWX);

        assertThat(space.stage2().epoch()).isEqualTo(epoch + 2);
        assertThat(syncsRequested).isEqualTo(2);
    }

    @Test
    void aPrivatePageKeepsItsPlace() {
        install(IPA, PA, PAGE, PRIVATE);

        install(IPA, PA + PAGE, PAGE, RWX);

        assertThat(entry(IPA)).isEqualTo(PRIVATE | PA);
    }

    @Test
    void removeTakesOnlyTheFramesItNames() {
        install(IPA, PA, PAGE, RWX);
        install(IPA + PAGE, PA + 8 * PAGE, PAGE, RWX);

        assertThat(tell(slot -> new AddrspaceActor.Remove(IPA, PA, 2 * PAGE, slot))).isEqualTo(HypError.OK);

        assertThat(entry(IPA)).isZero();
        assertThat(entry(IPA + PAGE)).isNotZero();
        assertThat(answered).isNotZero();
        tell(slot -> new AddrspaceActor.Remove(IPA, PA, 2 * PAGE, slot));
        assertThat(answered).as("nothing left to call back").isZero();
    }

    @Test
    void unlockConcernsPrivatePagesAndSaysWhatBecomesOfTheirContents() {
        install(IPA, PA, PAGE, PRIVATE);
        install(IPA + PAGE, PA + PAGE, PAGE, RWX);

        tell(slot -> new AddrspaceActor.Unlock(IPA, 4 * PAGE, true, slot));
        assertThat(entry(IPA)).isEqualTo(PRIVATE & ~PageFlags.LOCKED | PageFlags.KEEP_CONTENTS | PA);
        tell(slot -> new AddrspaceActor.Unlock(IPA, 4 * PAGE, false, slot));

        assertThat(entry(IPA)).isEqualTo(PRIVATE & ~PageFlags.LOCKED | PA);
        assertThat(entry(IPA + PAGE)).isEqualTo(RWX | PA + PAGE);
    }

    @Test
    void rangesAndDevicesAnswerTheirErrors() {
        assertThat(tell(slot -> new AddrspaceActor.ConfigureRange(IPA, PAGE, 0, slot))).isEqualTo(HypError.OK);
        assertThat(space.insideVmmio(IPA, PAGE)).isTrue();
        assertThat(tell(slot -> new AddrspaceActor.ConfigureRange(IPA, PAGE, 7, slot)))
                .isEqualTo(HypError.ARGUMENT_INVALID);
        VdeviceRegion region = new VdeviceRegion(IPA, 4 * PAGE, null);
        assertThat(tell(slot -> new AddrspaceActor.AttachVdevice(region, slot))).isEqualTo(HypError.OK);
        assertThat(tell(slot -> new AddrspaceActor.AttachVdevice(region, slot))).isEqualTo(HypError.BUSY);
    }

    @Test
    void whenItBreaksNothingCanBeReachedAnyMoreAndItAnswersAtOnce() {
        install(IPA, PA, 2 * PAGE, RWX);
        install(4 * IPA, PA + 2 * PAGE, PAGE, PRIVATE);
        tell(slot -> new AddrspaceActor.AttachVdevice(new VdeviceRegion(0, PAGE, null), slot));
        int epoch = space.stage2().epoch();

        assertThat(tell(slot -> new AddrspaceActor.AttachVdevice(null, slot))).isEqualTo(HypError.FAILURE);

        assertThat(entry(IPA)).isZero();
        assertThat(entry(4 * IPA)).isZero();
        assertThat(space.stage2().epoch()).isNotEqualTo(epoch);
        assertThat(syncsRequested).isEqualTo(1);
        assertThat(space.isBroken()).isTrue();
        assertThat(tell(slot -> new AddrspaceActor.Install(IPA, PA, PAGE, RWX, slot))).isEqualTo(HypError.OBJECT_STATE);
        assertThat(entry(IPA)).isZero();
    }
}
