// By disease: the questions that each drawing explains. Written as JSON: facts/drawings.py reads it too.
export default {
	"MS": {
		"nerve-ms": "definition/overview definition/lesions myelin/overview myelin/what_is myelin/demyelination myelin/lesions",
		"ms-courses": "types/overview types/most_common types/spms_or_ppms progression/overview progression/everyone_worse",
		"mri": "diagnosis/overview diagnosis/white_spots diagnosis/test:mri diagnosis/test_happens:mri"
	},
	"ALS": {
		"neurons-als": "definition/overview definition/motor_neurons definition/muscle_disease myelin/overview myelin/motor_neurons",
		"als-onset": "early_signs/overview early_signs/usual_first types/overview progression/spread",
		"emg": "diagnosis/overview diagnosis/test:emg diagnosis/test_happens:emg"
	},
	"both": {
		"side-by-side": "definition/overview myelin/overview difference/overview similarity/same_disease",
		"mri-emg": "diagnosis/overview difference/tests"
	}
};
