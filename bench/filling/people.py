"""Names, mobiles and vehicles by country. All of one person follows from a number, so a person needs no memory."""
COUNTRIES = {
    "IN": {
        "first": "Asha Ravi Meera Arjun Lakshmi Imran Kavya Joseph Anne-Marie Vikram Fatima Sunita Harpreet Nandini Rohan Priya "
                 "Sanjay Deepa Manoj Farah Kiran Leela Naveen Omkar Pooja Rahul Shreya Tanvi Umesh Vidya Yash Zoya Anil Bhavna "
                 "Chetan Divya Ganesh Hema Ishaan Jaya".split(),
        "last": "Rao Iyer D'Souza Khan Menon Singh Das Patel Nair Gowda Fernandes Sharma Verma Kurian Pillai Shetty Bose Mehta Joshi "
                "Kulkarni Reddy Naidu Bhat Chatterjee Malhotra Kapoor Thomas Hegde Prasad Mishra Sinha Yadav Ghosh Banerjee Saxena "
                "Tiwari Desai Shah Trivedi Dutta Kamath".split(),
        "native": [name.split() for name in ("राजेश कुमार", "सुनीता शर्मा", "प्रिया वर्मा", "अमित कुमार", "முருகன் சுந்தரம்", "கவிதா ராஜா",
                                            "অনির্বাণ ঘোষ", "শ্রেয়া সেন", "ಮಂಜುನಾಥ ಗೌಡ", "ಸವಿತಾ ಹೆಗ್ಡೆ")],
        "mobile": lambda n: "+9198%08d" % ((n * 7919 + 1_234_567) % 100_000_000),
        "vehicle": lambda n: "KA%02dM%s%04d" % (1 + n % 57, "ABCDEFGHJKLMNPRSTUVWXYZ"[n // 57 % 23], n * 7 % 9000 + 1000),
    },
    "AE": {
        "first": "Omar Layla Maria Jose Chen Olga John Aisha Rashid Grace Pierre Nadia Yusuf Emma Hassan Priya Ahmed Bilal Carla "
                 "Dmitri Elena Faisal Gulnaz Hamad Irina Jamal Karim Lina Mona Nasser Oscar Paula Qasim Rania Salem Tariq Umar "
                 "Vera Wael Yara".split(),
        "last": "Santos Reyes Wei Ivanova Smith Al-Mansoori Okafor Dupont Haddad Demir Müller Mathew Khoury Rahman Garcia Silva Kim "
                "Tanaka Novak Rossi Schmidt Ali Hussain Aziz Farouk Mansour Saleh Nasr Sayed Khalil Bauer Costa Lopez Petrov Nguyen "
                "Tran Park Lee Wang Zhang Iqbal Fernando".split(),
        "native": [name.split() for name in ("محمد الهاشمي", "فاطمة المنصوري", "علي النعيمي", "مريم الهاشمي", "Ольга Петрова", "Иван Смирнов",
                                            "小明 王", "丽华 李", "രമേശ് നായർ", "സുമ മേനോൻ")],
        "mobile": lambda n: "+97150%07d" % ((n * 7919 + 1_234_567) % 10_000_000),
        "vehicle": lambda n: "%s%05d" % ("ABCDEFGHJKLMNPQRSTUVWXYZ"[n % 24], n // 24 * 7 % 90_000 + 10_000),
    },
}
FAMILY = 12       # of so many persons the last has the mobile of the one before, as families share phones
REGISTERED = 5    # every fifth person is registered


class People:
    """The persons of a tenant: visitors are numbered from 0, hosts from the end of the numbers."""

    def __init__(self, country):
        if country not in COUNTRIES:
            raise SystemExit(f"bench/fill: knows no names and numbers of the country {country}; it knows {', '.join(COUNTRIES)}")
        facts = COUNTRIES[country]
        self.firsts, self.lasts, self.natives = facts["first"], facts["last"], facts["native"]
        self.mobile_of, self.vehicle_of = facts["mobile"], facts["vehicle"]

    def shares_phone(self, number):
        return number % FAMILY == FAMILY - 1

    def name(self, number):
        """First and last name, of one script; the last is missing now and then, the first is two names sometimes."""
        if self.shares_phone(number):    # never the name of the person it shares the phone with
            return self.firsts[number % len(self.firsts)], f"{self.name(number - 1)[1] or self.lasts[0]} Junior"
        mixed = number * 2_654_435_761 % 4_294_967_296
        if mixed % 11 == 0:
            return self.natives[(mixed >> 8) % len(self.natives)]
        place = (mixed >> 4) % len(self.firsts)
        first = self.firsts[place]
        if mixed % 7 == 0:
            first += " " + self.firsts[(place + 1 + (mixed >> 12) % (len(self.firsts) - 1)) % len(self.firsts)]
        return first, None if mixed % 19 == 0 else self.lasts[(mixed >> 18) % len(self.lasts)]

    def mobile(self, number):
        return self.mobile_of(number - 1 if self.shares_phone(number) else number)

    def is_registered(self, number):
        return number % REGISTERED == 0 and not self.shares_phone(number)

    def vehicle(self, number):
        return self.vehicle_of(number) if number % 4 == 1 else None
