# ruff: noqa: E501  (a table of names, values and words reads best with a row on a line)
"""The words of reports, in English and Indonesian."""

from __future__ import annotations

from collections.abc import Iterable

from sembada.errors import SpecificationError

__all__ = ["LANGUAGES", "Words"]

LANGUAGES = ("en", "id")

# key: (English, Indonesian)
_WORDS: dict[str, tuple[str, str]] = {
    # page
    "report": ("Report of the study", "Laporan studi"),
    "contents": ("Contents", "Daftar isi"),
    "synthetic": (
        "SYNTHETIC DATA. The numbers show what the method does; they say nothing about real firms.",
        "DATA SINTETIS. Angka-angka ini memperagakan metode; tidak menyatakan apa pun tentang perusahaan nyata.",
    ),
    "figure": ("Figure", "Gambar"),
    "table": ("Table", "Tabel"),
    "note": ("Note", "Catatan"),
    # sections
    "s_answer": ("The answer, and how sure it is", "Jawaban, dan seberapa pasti"),
    "s_survey": ("Survey model", "Model survei"),
    "s_hand_off": ("From survey to model", "Dari survei ke model"),
    "s_policies": ("Policies and what is uncertain", "Kebijakan dan ketidakpastian"),
    "s_comparison": ("Comparison of the scenarios", "Perbandingan skenario"),
    "s_choice": ("The choice", "Pilihan kebijakan"),
    "s_information": ("What more knowledge would be worth", "Nilai informasi tambahan"),
    "s_methods": ("Methods and reproducibility", "Metode dan keterulangan"),
    # columns
    "scenario": ("scenario", "skenario"),
    "criterion": ("criterion", "kriteria"),
    "hypothesis": ("hypothesis", "hipotesis"),
    "path": ("path", "jalur"),
    "expected": ("expected", "dugaan"),
    "estimate": ("estimate (O)", "estimasi (O)"),
    "mean_draws": ("mean (M)", "rerata (M)"),
    "std_error": ("std. error (STDEV)", "galat baku (STDEV)"),
    "t": ("t", "t"),
    "p": ("p", "p"),
    "interval95": ("95 % interval", "selang 95 %"),
    "interval90": ("90 % interval", "selang 90 %"),
    "decision": ("decision", "keputusan"),
    "accepted": ("accepted", "diterima"),
    "rejected": ("rejected", "ditolak"),
    "reversed": ("reversed", "berlawanan arah"),
    "construct": ("construct", "konstruk"),
    "indicator": ("indicator", "indikator"),
    "loading": ("loading", "muatan"),
    "weight": ("weight", "bobot"),
    "mode": ("mode", "mode"),
    "n_indicators": ("indicators", "indikator"),
    "direct": ("direct", "langsung"),
    "indirect": ("indirect", "tak langsung"),
    "total": ("total", "total"),
    "p_positive": ("P(total > 0)", "P(total > 0)"),
    "mediation": ("mediation", "mediasi"),
    "complementary": ("complementary (partial)", "komplementer (parsial)"),
    "competitive": ("competitive (inconsistent)", "kompetitif (inkonsisten)"),
    "indirect-only": ("indirect only (full)", "tak langsung saja (penuh)"),
    "direct-only": ("direct only (no mediation)", "langsung saja (tanpa mediasi)"),
    "none": ("none", "tidak ada"),
    "vaf": ("VAF", "VAF"),
    "form": ("form", "bentuk"),
    "parameter": ("parameter", "parameter"),
    "value": ("value", "nilai"),
    "unit": ("unit", "satuan"),
    "delay": ("delay", "tunda"),
    "equation": ("equation it supposes", "persamaan yang diandaikan"),
    "link": ("link", "tautan"),
    "caution": ("caution", "peringatan"),
    "severity": ("severity", "tingkat"),
    "message": ("what it means", "artinya"),
    "policy": ("policy", "kebijakan"),
    "changes": ("parameters it sets", "parameter yang diatur"),
    "cost": ("public cost", "biaya publik"),
    "group": ("group", "kelompok"),
    "meaning": ("meaning", "arti"),
    "and": ("and", "dan"),
    "median": ("median", "median"),
    "mean": ("mean", "rerata"),
    "point": ("point estimate", "estimasi titik"),
    "difference": ("difference from {reference}", "selisih dari {reference}"),
    "p_beats": ("P(better than {reference})", "P(lebih baik dari {reference})"),
    "rank": ("rank", "peringkat"),
    "acceptability": ("P(rank one)", "P(peringkat satu)"),
    "mc_error": ("MC error", "galat MC"),
    "p_best_short": ("best", "terbaik"),
    "p_best": ("P(best)", "P(terbaik)"),
    "p_best_of": ("P(best {measure})", "P(terbaik {measure})"),
    "p_pareto": ("P(Pareto)", "P(Pareto)"),
    "on_front": ("front of medians", "front median"),
    "p_beats_all": ("P(better on all)", "P(lebih baik di semua)"),
    "expected_rank": ("expected rank", "peringkat harapan"),
    "expected_regret": ("expected regret", "penyesalan harapan"),
    "regret95": ("95 % regret", "penyesalan 95 %"),
    "regret_max": ("largest regret", "penyesalan terbesar"),
    "minimax": ("minimax", "minimaks"),
    "yes": ("yes", "ya"),
    "no": ("no", "tidak"),
    "point_best": ("best by point estimate", "terbaik menurut estimasi titik"),
    "p_same_best": ("P(it is the best)", "P(benar terbaik)"),
    "joint_best": ("most often best", "paling sering terbaik"),
    "tau": ("Kendall τ, median", "τ Kendall, median"),
    "best_now": ("best choice now", "pilihan terbaik kini"),
    "evpi": ("EVPI", "EVPI"),
    "evppi": ("EVPPI", "EVPPI"),
    "share": ("share of EVPI", "bagian dari EVPI"),
    "floor": ("noise floor", "ambang derau"),
    "n_parameters": ("parameters", "parameter"),
    "failed": ("failed", "gagal"),
    "failed_bootstrap": ("failed in the bootstrap", "gagal di bootstrap"),
    "failed_model": ("failed in the model", "gagal di model"),
    "runs": ("runs", "simulasi"),
    "item": ("item", "butir"),
    "survey_paths": ("survey paths", "jalur survei"),
    "market": ("market", "pasar"),
    "bridge": ("bridge", "jembatan"),
    "delays": ("delays", "tunda waktu"),
    "finance": ("finance", "keuangan"),
    "policy effects": ("policy effects", "efek kebijakan"),
    # captions
    "c_paths": ("Structural model: path coefficients, with R²", "Model struktural: koefisien jalur, dengan R²"),
    "c_hypotheses": ("Hypotheses", "Pengujian hipotesis"),
    "c_constructs": ("Reliability, validity and explained variance", "Reliabilitas, validitas, dan varians terjelaskan"),
    "c_loadings": ("Outer loadings and weights", "Muatan dan bobot luar"),
    "c_effects": ("Direct, indirect and total effects", "Efek langsung, tak langsung, dan total"),
    "c_hand_off": ("Hand-off: what enters the model, in which form", "Serah terima: apa yang masuk ke model, dalam bentuk apa"),
    "c_audit": ("Audit of the hand-off", "Audit serah terima"),
    "c_scenarios": ("Scenarios", "Skenario"),
    "c_uncertainties": ("Uncertain parameters", "Parameter tak pasti"),
    "c_compare": (
        "Scenarios at time {end}, {n} draws: median and 90 % interval",
        "Skenario pada waktu {end}, {n} tarikan: median dan selang 90 %",
    ),
    "c_difference": (
        "{measure}: differences from {reference} on the same draws, median and 90 % interval",
        "{measure}: selisih dari {reference} pada tarikan yang sama, median dan selang 90 %",
    ),
    "c_behaviour": (
        "{measure} over time: median and 90 % band of each scenario; dashed: median of {reference}",
        "{measure} menurut waktu: median dan pita 90 % tiap skenario; putus-putus: median {reference}",
    ),
    "c_pareto": (
        "Differences from {reference}: clouds of draws, medians (large) and the front of medians (line)",
        "Selisih dari {reference}: awan tarikan, median (besar), dan front median (garis)",
    ),
    "c_p_best": (
        "Probability that a scenario is the best; bars ± two Monte-Carlo errors",
        "Peluang suatu skenario menjadi yang terbaik; batang ± dua galat Monte Carlo",
    ),
    "c_p_best_time": (
        "Probability of the best {measure} if judged at each time",
        "Peluang {measure} terbaik bila dinilai pada tiap waktu",
    ),
    "c_p_best_table": ("Probability of being the best, by criterion", "Peluang menjadi yang terbaik, menurut kriteria"),
    "c_rank": ("Ranking by {criteria} together, weights unknown", "Peringkat menurut {criteria} bersama, bobot tak diketahui"),
    "c_pareto_table": ("Membership of the Pareto front: {criteria}", "Keanggotaan front Pareto: {criteria}"),
    "c_regret": ("{measure}: regret, what a choice costs when another would have been best", "{measure}: penyesalan, kerugian bila pilihan lain ternyata terbaik"),
    "c_reversal": ("Can the ranking of the point estimate be trusted?", "Dapatkah peringkat estimasi titik dipercaya?"),
    "c_evpi": ("Expected value of perfect information", "Nilai harapan informasi sempurna"),
    "c_evppi": ("Expected value of partial information as a share of EVPI; grey: noise floor", "Nilai harapan informasi parsial sebagai bagian dari EVPI; abu-abu: ambang derau"),
    "c_evppi_table": ("Expected value of partial information", "Nilai harapan informasi parsial"),
    "s_variants": ("Does the choice stand?", "Apakah pilihan bertahan?"),
    "variant": ("variant", "varian"),
    "stands": ("stands", "bertahan"),
    "as_run": ("as planned", "sesuai rencana"),
    "c_variants": (
        "{measure}: probability of being the best under other assumptions",
        "{measure}: peluang menjadi yang terbaik di bawah asumsi lain",
    ),
    "variants_note": (
        "A conclusion that changes between rows rests on the assumption that the row changes.",
        "Kesimpulan yang berubah antarbaris bertumpu pada asumsi yang diubah baris itu.",
    ),
    "c_methods": ("Methods", "Metode"),
    "c_failures": ("Failed runs", "Simulasi gagal"),
    "c_reproduce": ("Reproducibility sheet", "Lembar keterulangan"),
    "c_acceptability": ("Probability of each rank, weights unknown", "Peluang tiap peringkat, bobot tak diketahui"),
    # figures
    "time": ("time", "waktu"),
    "month": ("month", "bulan"),
    "year": ("year", "tahun"),
    "week": ("week", "minggu"),
    "day": ("day", "hari"),
    "person": ("person", "orang"),
    "Rp m": ("Rp m", "Rp juta"),
    "Rp m/year": ("Rp m/year", "Rp juta/tahun"),
    "change": ("Δ {measure}", "Δ {measure}"),
    "probability": ("probability", "peluang"),
    "others": ("others", "lainnya"),
    "pp": ("pp", "pp"),
    "p.p.": ("percentage points", "poin persen"),
    # sentences
    "answer_best": (
        "{scenario} ranks first by {criteria} together with probability {p} (Monte-Carlo error {error}; weights of the criteria unknown).",
        "{scenario} menempati peringkat pertama menurut {criteria} bersama dengan peluang {p} (galat Monte Carlo {error}; bobot kriteria tak diketahui).",
    ),
    "answer_criterion": (
        "By {measure}: {scenario} is the best with probability {p} (± {error}){second}. The point estimate names {point}; it is right in {right} of the draws.",
        "Menurut {measure}: {scenario} terbaik dengan peluang {p} (± {error}){second}. Estimasi titik menunjuk {point}; benar pada {right} tarikan.",
    ),
    "answer_second": (", {scenario} with {p}", ", {scenario} dengan {p}"),
    "answer_front": ("On the front of medians: {scenarios}.", "Pada front median: {scenarios}."),
    "answer_worse": (
        "{scenario} is worse than {reference} on {measure} with probability {p}.",
        "{scenario} lebih buruk dari {reference} pada {measure} dengan peluang {p}.",
    ),
    "answer_information": (
        "For {measure}, knowing everything before choosing would be worth {evpi}; the largest part comes from {group} ({share}).",
        "Untuk {measure}, mengetahui segalanya sebelum memilih bernilai {evpi}; bagian terbesar berasal dari {group} ({share}).",
    ),
    "no_causal": (
        "Path coefficients are cross-sectional associations between respondents; the study asks what would follow if they held as a steady state.",
        "Koefisien jalur adalah asosiasi lintas-seksi antarresponden; studi ini bertanya apa akibatnya bila berlaku sebagai keadaan tunak.",
    ),
    "vaf_note": (
        "VAF is not printed where direct and indirect effect have opposite signs (inconsistent mediation): there it is not a share.",
        "VAF tidak ditampilkan bila efek langsung dan tak langsung berlawanan tanda (mediasi inkonsisten): di situ VAF bukan proporsi.",
    ),
    "stars_note": ("* p < .05, ** p < .01, *** p < .001.", "* p < 0,05, ** p < 0,01, *** p < 0,001."),
    "mc_note": (
        "MC error = √(p(1−p)/n) with n = {n} draws; zero and one mean less than about {least}.",
        "Galat MC = √(p(1−p)/n) dengan n = {n} tarikan; nol dan satu berarti kurang dari sekitar {least}.",
    ),
    "pp_note": ("pp: percentage points.", "pp: poin persen."),
    "evppi_note": (
        "Fitted by quadratic regression, which errs upwards; the noise floor is what the same fit finds in shuffled parameters.",
        "Dihitung dengan regresi kuadratik yang cenderung terlalu tinggi; ambang derau adalah hasil yang sama pada parameter yang diacak.",
    ),
    "regret_note": (
        "Expected regret of the ranking is in units of the average distance between best and worst scenario.",
        "Penyesalan harapan pada peringkat memakai satuan jarak rata-rata antara skenario terbaik dan terburuk.",
    ),
    "calibration_note": (
        "{gain}: one standard deviation of the outcome should move its quantity by about loading × CV = {target} (log) in the long run.",
        "{gain}: satu simpangan baku hasil seharusnya menggerakkan kuantitasnya sekitar muatan × KV = {target} (log) dalam jangka panjang.",
    ),
    # methods rows
    "m_draws": ("draws", "tarikan"),
    "m_draws_text": (
        "{draws} joint draws from {replicates} bootstrap replicates; row by row, so that paths keep their correlation",
        "{draws} tarikan bersama dari {replicates} replikasi bootstrap; baris demi baris sehingga korelasi antarjalur terjaga",
    ),
    "m_common": ("common random numbers", "bilangan acak bersama"),
    "m_common_text": (
        "every scenario sees the same draws; differences are paired",
        "setiap skenario memakai tarikan yang sama; selisih berpasangan",
    ),
    "m_uncertain": ("model parameters", "parameter model"),
    "m_uncertain_text": ("{n} parameters, Latin hypercube", "{n} parameter, hiperkubus Latin"),
    "m_forms": ("conversion forms", "bentuk konversi"),
    "m_valid": ("draws in the tables", "tarikan dalam tabel"),
    "m_valid_text": ("{valid} of {draws}: those on which every scenario succeeded", "{valid} dari {draws}: yang berhasil di semua skenario"),
    "m_plsc": ("attenuation", "atenuasi"),
    "m_plsc_yes": ("paths corrected (PLSc)", "jalur dikoreksi (PLSc)"),
    "m_plsc_no": (
        "paths not corrected; repeat with consistent=True and compare",
        "jalur tidak dikoreksi; ulangi dengan consistent=True dan bandingkan",
    ),
    "f_z": ("z-form with delay", "bentuk-z dengan tunda"),
    "f_weight": ("weights that sum to one", "bobot berjumlah satu"),
    "f_unstandardised": ("unstandardised", "tak terstandar"),
    "f_elasticity": ("elasticity", "elastisitas"),
    "f_table": ("table function", "fungsi tabel"),
    "v_note": ("note", "catatan"),
    "v_caution": ("caution", "hati-hati"),
    "v_serious": ("serious", "serius"),
    "all": ("all", "semua"),
    # cautions: names, and their meaning in Indonesian (the English stands with the cautions)
    "n_cross-sectional": ("cross-sectional", "lintas-seksi"),
    "n_attenuation": ("attenuation", "atenuasi"),
    "n_no delay": ("no delay", "tanpa tunda"),
    "n_unit": ("unit", "satuan"),
    "n_pure number": ("pure number", "bilangan murni"),
    "n_not calibrated": ("not calibrated", "belum dikalibrasi"),
    "n_calibration": ("calibration", "kalibrasi"),
    "n_double counting": ("double counting", "hitung ganda"),
    "n_sign": ("sign", "tanda"),
    "n_negative weight": ("negative weight", "bobot negatif"),
    "a_cross-sectional": (
        "",
        "koefisien jalur membandingkan responden pada satu waktu; bukan laju dan bukan efek perubahan pada satu responden. Model memakainya sebagai keadaan tunak",
    ),
    "a_attenuation": (
        "",
        "skor mode A mengandung galat pengukuran yang mengecilkan jalur; jalankan studi dengan consistent=True (PLSc) di sampingnya dan lihat apakah pilihan bertahan",
    ),
    "a_no delay": (
        "",
        "tunda tidak dinyatakan: koefisien lintas-seksi menyatakan di mana keadaan menetap, bukan kapan; dekati nilainya melalui tunda dan sebutkan dalam delay=",
    ),
    "a_unit": ("", "parameter {parameter!r} bersatuan {stated!r} di model dan {unit!r} di tautan"),
    "a_pure number": ("", "bentuk {form!r} memberi bilangan murni, tetapi tautan menyatakan satuan {unit!r}; pakai 'unstandardised'"),
    "a_not calibrated": (
        "",
        "{gain!r} mengubah simpangan baku menjadi kuantitas tetapi belum dikalibrasi: berikan loading= dan cv= suatu indikator kuantitatif dan pakai bridge.calibrate",
    ),
    "a_calibration": (
        "",
        "efek log jangka panjang satu simpangan baku seharusnya sekitar muatan × KV = {target:.2f}: lihat bridge.calibrate({gain!r}, …); model memakai {gain} = {now:g}",
    ),
    "a_double counting": (
        "",
        "koefisien mungkin sudah memuat apa yang dibawa {mechanisms} di dalam model: jalankan studi dengan nilai nol untuk itu dan laporkan apakah pilihan bertahan",
    ),
    "a_sign": ("", "tandanya belum pasti: {other:.0f} % tarikan bootstrap bertanda lain"),
    "a_negative weight": ("", "bobot yang berjumlah satu mengandaikan koefisien positif; yang ini {estimate:.3f}. Pakai bentuk 'z'"),
}  # fmt: skip


class Words:
    """Looks words up in one language.

    Raises
    ------
    SpecificationError
        If there is no such language.

    Examples
    --------
    >>> Words("id")("accepted")
    'diterima'
    """

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise SpecificationError(
                f"language is {language!r}: expected one of {', '.join(map(repr, LANGUAGES))}", {"language": language}
            )
        self.language = language
        self._column = LANGUAGES.index(language)

    def join(self, items: Iterable[str]) -> str:
        """Join items as a list in a sentence.

        Examples
        --------
        >>> Words("id").join(["laba", "pelanggan"])
        'laba dan pelanggan'
        """
        listed = list(items)
        if len(listed) < 2:
            return "".join(listed)
        return f"{', '.join(listed[:-1])} {self('and')} {listed[-1]}"

    def __call__(self, key: str, **values: object) -> str:
        """Return the words of a key; the key itself if it has none (names that a user gave)."""
        if key not in _WORDS:
            return key
        return _WORDS[key][self._column].format(**values)
